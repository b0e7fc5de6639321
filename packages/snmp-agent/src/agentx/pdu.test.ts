import fc from 'fast-check';
import snmp from 'net-snmp';
import { describe, expect, it } from 'vitest';
import { counter64, text } from '../protocol/value.ts';
import { View } from '../protocol/view.ts';
import { answerMaster } from './answer.ts';
import { type MasterPdu, PDU, PduFramer, readPdu, responsePayload, varbindsPayload, writePdu } from './pdu.ts';

const { ObjectType } = snmp;

/** A request of a master agent, in this byte order; of each range its start, whether it is included, and its end. */
function request(
  type: number,
  ranges: [number[], boolean, number[]][],
  { big = true, context = '', bulk = [0, 0] } = {},
): Buffer {
  const octets: number[] = [];
  const long = (n: number) => {
    const four = [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
    octets.push(...(big ? four : four.reverse()));
  };
  const short = (n: number) => octets.push(...(big ? [n >>> 8, n & 255] : [n & 255, n >>> 8]));
  if (context !== '') {
    long(context.length);
    octets.push(...Buffer.from(context.padEnd(Math.ceil(context.length / 4) * 4, '\0')));
  }
  if (type === PDU.getBulk) for (const n of bulk) short(n);
  for (const [start, included, end] of ranges) {
    octets.push(start.length, 0, Number(included), 0);
    start.forEach(long);
    octets.push(end.length, 0, 0, 0);
    end.forEach(long);
  }
  const payload = octets.splice(0);
  octets.push(1, type, (big ? 0x10 : 0) | (context === '' ? 0 : 8), 0);
  for (const n of [7, 8, 9, payload.length]) long(n);
  return Buffer.from([...octets, ...payload]);
}

describe('AgentX', () => {
  it.each([true, false])('is read in both byte orders (big: %s)', (big) => {
    const pdu = readPdu(
      request(PDU.getBulk, [[[1, 3, 70_000], true, [1, 4]]], { big, context: 'other', bulk: [1, 20] }),
    );
    expect(pdu).toMatchObject({
      type: PDU.getBulk,
      session: 7,
      transaction: 8,
      packet: 9,
      nonRepeaters: 1,
      maxRepetitions: 20,
    });
    expect(pdu.ranges).toEqual([{ start: [1, 3, 70_000], included: true, end: [1, 4] }]);
  });

  it('is cut where it ends, however it comes', () => {
    const whole = Buffer.concat([
      request(PDU.ping, []),
      request(PDU.get, [[[1, 2], false, []]]),
      request(PDU.ping, []),
    ]);
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 5 }), (cuts) => {
        const framer = new PduFramer();
        const edges = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const pdus = edges.slice(1).flatMap((end, i) => [...framer.push(whole.subarray(edges[i], end))]);
        expect(Buffer.concat(pdus).equals(whole)).toBe(true);
        expect(pdus).toHaveLength(3);
      }),
    );
    expect(() => [...new PduFramer().push(Buffer.alloc(20, 9))]).toThrow(RangeError);
    const huge = request(PDU.ping, []);
    huge.writeUInt32BE(0xffff_ffff, 16);
    expect(() => [...new PduFramer().push(huge)]).toThrow(RangeError);
  });

  it('harms nothing where it is damaged', () => {
    const good = request(PDU.getBulk, [[[1, 3, 6], true, [1, 4]]], { bulk: [1, 2] });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const damaged = Buffer.from(good);
        for (const [at, octet] of changes) damaged[at] = octet;
        try {
          for (const pdu of new PduFramer().push(damaged)) readPdu(pdu);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });

  it('is written as a master agent reads it', () => {
    const varbinds = [
      { oid: '1.3.6.1.2.1', ...text('abcde') },
      { oid: '1.3.7', ...counter64(5) },
      { oid: '1.3.6.1.4', type: ObjectType.OID, value: '1.3.6.1.2.7' },
      { oid: '1.2', type: ObjectType.Integer, value: -2 },
      { oid: '1.2', type: ObjectType.NoSuchInstance, value: null },
    ];
    expect(varbindsPayload(varbinds).toString('hex').match(/.{8}/g)).toEqual([
      ...['00040000', '01020000', '00000001', '00000005', '61626364', '65000000'],
      ...['00460000', '03000000', '00000001', '00000003', '00000007', '00000000', '00000005'],
      ...['00060000', '00040000', '01020000', '00000007'],
      ...['00020000', '02000000', '00000001', '00000002', 'fffffffe'],
      ...['00810000', '02000000', '00000001', '00000002'],
    ]);
    const pdu = writePdu({ type: PDU.response, session: 1, transaction: 2, packet: 3 }, responsePayload(17, 1, []));
    expect(readPdu(pdu)).toMatchObject({ type: PDU.response, session: 1, packet: 3, error: 17 });
  });
});

describe('a subagent', () => {
  const view = new View();
  view.replace([1, 2, 3, 4].map((n) => ({ oid: [1, 1, n], value: text(String(n)) })));
  const ask = (type: number, ranges: [number[], boolean, number[]][], bulk = [0, 0]) =>
    answerMaster(readPdu(request(type, ranges, { bulk })) as MasterPdu, view);
  const oids = (answer: ReturnType<typeof ask>) =>
    answer?.varbinds.map(({ oid, type }) =>
      type === ObjectType.EndOfMibView ? 'end' : type === ObjectType.NoSuchInstance ? 'none' : oid,
    );

  it('answers within what it is asked for', () => {
    expect(
      oids(
        ask(PDU.get, [
          [[1, 1, 2], false, []],
          [[1, 1], false, []],
        ]),
      ),
    ).toEqual(['1.1.2', 'none']);
    expect(
      oids(
        ask(PDU.getNext, [
          [[1, 1, 2], false, []],
          [[1, 1, 2], true, []],
          [[1, 1, 2], false, [1, 1, 3]],
          [[1, 1, 4], false, []],
        ]),
      ),
    ).toEqual(['1.1.3', '1.1.2', 'end', 'end']);
    expect(
      oids(
        ask(
          PDU.getBulk,
          [
            [[1], false, []],
            [[1, 1, 1], false, [1, 1, 4]],
          ],
          [1, 5],
        ),
      ),
    ).toEqual(['1.1.1', '1.1.2', '1.1.3', 'end']);
  });

  it('changes nothing', () => {
    expect(ask(PDU.testSet, [])).toMatchObject({ error: 17, index: 1 });
    expect(ask(PDU.undoSet, [])).toMatchObject({ error: 0 });
    expect(ask(PDU.cleanupSet, [])).toBeUndefined();
  });
});
