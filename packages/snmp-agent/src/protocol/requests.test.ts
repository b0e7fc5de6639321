import fc from 'fast-check';
import snmp from 'net-snmp';
import { describe, expect, it } from 'vitest';
import { compareOids, oidText } from './oid.ts';
import { type Asker, answer } from './requests.ts';
import { counter64, integer, text } from './value.ts';
import { View } from './view.ts';

const { ErrorStatus, ObjectType, PduType } = snmp;
const EVERYTHING = [[1]];
const asker: Asker = { version: 1, subtrees: EVERYTHING, room: 1300 };

function view(...oids: number[][]): View {
  const made = new View();
  made.replace(oids.map((oid) => ({ oid, value: integer(oid.at(-1) as number) })));
  return made;
}

const ask = (type: number, oids: string[], of: View, more: object = {}, who: Partial<Asker> = {}) =>
  answer({ type, varbinds: oids.map((oid) => ({ oid })), ...more }, of, { ...asker, ...who });

describe('what an agent answers', () => {
  const all = view([1, 1, 1], [1, 1, 2], [1, 2, 1], [1, 2, 2]);

  it('is what was asked for, or that there is no such thing', () => {
    expect(ask(PduType.GetRequest, ['1.1.2', '1.1.3'], all)?.varbinds).toEqual([
      { oid: '1.1.2', type: ObjectType.Integer, value: 2 },
      { oid: '1.1.3', type: ObjectType.NoSuchInstance, value: null },
    ]);
    expect(ask(PduType.GetRequest, ['1.1.2', '1.1.3'], all, {}, { version: 0 })).toMatchObject({
      errorStatus: 2,
      errorIndex: 2,
    });
  });

  it('is what comes next', () => {
    expect(
      ask(PduType.GetNextRequest, ['1', '1.1.2', '1.2.2'], all)?.varbinds.map(({ oid, type }) => [oid, type]),
    ).toEqual([
      ['1.1.1', ObjectType.Integer],
      ['1.2.1', ObjectType.Integer],
      ['1.2.2', ObjectType.EndOfMibView],
    ]);
    expect(ask(PduType.GetNextRequest, ['1.2.2'], all, {}, { version: 0 })).toMatchObject({
      errorStatus: 2,
      errorIndex: 1,
    });
  });

  it('leaves out what SNMPv1 does not know', () => {
    const mixed = new View();
    mixed.replace([
      { oid: [1, 1], value: counter64(1) },
      { oid: [1, 2], value: integer(2) },
    ]);
    const next = ask(PduType.GetNextRequest, ['1'], mixed, {}, { version: 0 });
    expect(next?.varbinds.map(({ oid }) => oid)).toEqual(['1.2']);
    expect(ask(PduType.GetRequest, ['1.1'], mixed, {}, { version: 0 })?.errorStatus).toBe(2);
    expect(ask(PduType.GetBulkRequest, ['1'], mixed, {}, { version: 0 })).toBeUndefined();
  });

  it('goes row by row (RFC 3416 §4.2.3)', () => {
    const bulk = ask(PduType.GetBulkRequest, ['1', '1.1', '1.2'], all, { nonRepeaters: 1, maxRepetitions: 3 });
    expect(bulk?.varbinds.map(({ oid, type }) => (type === ObjectType.EndOfMibView ? 'end' : oid))).toEqual([
      ...['1.1.1', '1.1.1', '1.2.1'],
      ...['1.1.2', '1.2.2'],
      ...['1.2.1', 'end'],
    ]);
    expect(ask(PduType.GetBulkRequest, ['1'], all, { nonRepeaters: -3, maxRepetitions: -1 })?.varbinds).toEqual([]);
  });

  it('changes nothing', () => {
    expect(ask(PduType.SetRequest, ['1.1.1'], all)).toMatchObject({
      errorStatus: ErrorStatus.NotWritable,
      errorIndex: 1,
    });
  });

  it('takes no more room than there is', () => {
    const large = new View();
    large.replace(Array.from({ length: 1000 }, (_, i) => ({ oid: [1, i], value: text('x'.repeat(100)) })));
    const bulk = ask(PduType.GetBulkRequest, ['1'], large, { nonRepeaters: 0, maxRepetitions: 1_000_000 });
    expect(bulk?.varbinds.length).toBeGreaterThan(5);
    expect(bulk?.varbinds.length).toBeLessThan(14);
    expect(ask(PduType.GetRequest, Array(20).fill('1.5'), large)?.errorStatus).toBe(ErrorStatus.TooBig);
    expect(ask(PduType.GetBulkRequest, Array(20).fill('1'), large, { nonRepeaters: 20 })?.errorStatus).toBe(
      ErrorStatus.TooBig,
    );
  });

  it('is only what may be seen', () => {
    const seen = {
      subtrees: [
        [1, 2],
        [1, 1, 2],
      ],
    };
    expect(ask(PduType.GetRequest, ['1.1.1'], all, {}, seen)?.varbinds[0]?.type).toBe(ObjectType.NoSuchInstance);
    const walk: string[] = [];
    for (let at = '1'; ; ) {
      const [next] = ask(PduType.GetNextRequest, [at], all, {}, seen)?.varbinds ?? [];
      if (next === undefined || next.type === ObjectType.EndOfMibView) break;
      walk.push(next.oid);
      at = next.oid;
    }
    expect(walk).toEqual(['1.1.2', '1.2.1', '1.2.2']);
  });

  it('walks over everything that may be seen, once, in order', () => {
    const oids = fc.uniqueArray(fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }), {
      selector: oidText,
      maxLength: 30,
    });
    fc.assert(
      fc.property(
        oids,
        fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
        (all, subtrees) => {
          const whole = view(...all);
          const walked: number[][] = [];
          let cell = whole.next([0], subtrees) ?? whole.get([0], subtrees);
          for (; cell !== undefined; cell = whole.next(cell.oid, subtrees)) walked.push([...cell.oid]);
          const wanted = all.filter((oid) => subtrees.some((tree) => tree.every((number, i) => oid[i] === number)));
          const behind = wanted.filter((oid) => compareOids(oid, [0]) > 0).sort(compareOids);
          expect(walked.filter((oid) => compareOids(oid, [0]) > 0)).toEqual(behind);
        },
      ),
    );
  });
});
