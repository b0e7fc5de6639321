import { serialAdd } from '@parley/xmpp/serial';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Unacknowledged } from './unacknowledged.ts';

const ids = (list: readonly { text: string }[]) => list.map(({ text }) => text);

describe('a queue', () => {
  it('numbers what is added from one on, and gives it in order once it is ready', () => {
    const sent = new Unacknowledged();
    const first = sent.add('a', undefined, true);
    const second = sent.add('bc', undefined, false);
    expect([first.out, first.ready, second.out, second.ready]).toEqual([1, false, 2, true]);
    expect([sent.size, sent.bytes, sent.written]).toEqual([2, 3, 0]);
    expect(sent.next()).toBeUndefined(); // the second one waits behind the first
    first.ready = true;
    expect([sent.next(), sent.next(), sent.next()]).toEqual([first, second, undefined]);
    expect([sent.count, sent.written]).toEqual([2, 2]);
    expect(ids(sent.acknowledge(1))).toEqual(['a']);
    expect([sent.size, sent.bytes, sent.written, sent.count]).toEqual([1, 2, 1, 2]);
    expect(sent.acknowledge(1)).toEqual([]);
    expect(sent.acknowledge(0)).toEqual([]); // less than before means nothing
    expect(ids(sent.takeAll())).toEqual(['bc']);
    expect([sent.size, sent.bytes, sent.written]).toEqual([0, 0, 0]);
  });

  it('allows no more than was written', () => {
    const sent = new Unacknowledged();
    for (const text of ['a', 'b', 'c']) sent.add(text, undefined, false);
    sent.next();
    sent.next();
    expect([0, 1, 2, 3, 2 ** 31, 2 ** 32 - 1].map((h) => sent.allows(h))).toEqual([
      true,
      true,
      true,
      false,
      true,
      true,
    ]);
  });

  it('that a predecessor left in order takes no number that this one had not come to', () => {
    const sent = new Unacknowledged();
    sent.restore([{ origin: undefined, at: 5, text: 'a', out: 0 }], 0);
    expect(sent.mostKnown).toBe(0);
    expect([2 ** 32 - 1, 0, 1].map((h) => sent.allows(h))).toEqual([true, true, false]);
    sent.resume(0);
    expect([sent.size, sent.mostKnown, sent.allows(1)]).toEqual([0, 0, false]);
    const unknown = new Unacknowledged();
    unknown.restore([]);
    expect([unknown.mostKnown, unknown.allows(1000)]).toEqual([undefined, true]);
  });

  it('fills the places of what was written and is not there any more', () => {
    const outs = (sent: Unacknowledged) => sent.all.map(({ text, out }) => `${text}${out}`);
    const sent = new Unacknowledged();
    for (const text of ['a', 'b', 'c', 'd', 'e']) sent.add(text, undefined, false);
    for (let n = 0; n < 4; n++) sent.next();
    sent.unwrite();
    sent.takeOut(({ text }) => 'bd'.includes(text));
    sent.add('f', undefined, false);
    expect([0, 1, 2, 4, 5].map((h) => sent.missing(h))).toEqual([2, 2, 1, 0, 0]);
    expect(sent.missing(2 ** 31 + 10)).toBeGreaterThan(2 ** 31 - 20);
    expect(ids(sent.resume(1, '-'))).toEqual(['a']);
    expect(outs(sent)).toEqual(['-2', 'c3', '-4', 'e5', 'f6']);
    expect([sent.size, sent.bytes, sent.written]).toEqual([5, 5, 0]);

    const later = new Unacknowledged();
    const kept = { origin: undefined, at: 5 };
    later.restore([
      { ...kept, text: 'a', out: 2 ** 32 - 1 },
      { ...kept, text: 'b', out: 1 },
    ]);
    later.add('c', undefined, false);
    expect(later.missing(2 ** 32 - 3)).toBe(2);
    expect(later.resume(2 ** 32 - 3, '-')).toEqual([]);
    expect(outs(later)).toEqual([`-${2 ** 32 - 2}`, `a${2 ** 32 - 1}`, '-0', 'b1', 'c2']);
  });

  it('that a predecessor left takes any number for what it may be, and gives none before it is resumed', () => {
    const sent = new Unacknowledged();
    const kept = { origin: undefined, at: 5 };
    sent.restore([
      { ...kept, text: 'a', out: 7 },
      { ...kept, text: 'b', out: 9 },
      { ...kept, text: 'c', out: undefined },
    ]);
    const added = sent.add('d', undefined, true);
    expect([added.out, sent.allows(1000)]).toEqual([undefined, true]);
    expect(ids(sent.resume(8))).toEqual(['a']);
    expect(sent.all.map(({ text, out }) => [text, out])).toEqual([
      ['b', 9],
      ['c', 10],
      ['d', 11],
    ]);
    expect([sent.count, sent.written, sent.bytes]).toEqual([8, 0, 3]);
    expect(sent.add('e', undefined, true).out).toBe(12);
    expect(sent.allows(9)).toBe(false);
  });

  it('that a predecessor left loses nothing to a client that knows of more than the journal', () => {
    const sent = new Unacknowledged();
    sent.restore([{ text: 'a', origin: undefined, at: 5, out: 7 }]);
    sent.add('b', undefined, true);
    expect(ids(sent.resume(20))).toEqual(['a']);
    expect(sent.all.map(({ text, out }) => [text, out])).toEqual([['b', 21]]);
  });
});

type Step =
  | { kind: 'add'; journaled: boolean }
  | { kind: 'ready' | 'write' }
  | { kind: 'acknowledge' | 'lose'; share: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), journaled: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom<('ready' | 'write')[]>('ready', 'write') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom<('acknowledge' | 'lose')[]>('acknowledge', 'lose'),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
);

it('is a list whose client counts, wherever its numbers begin', () => {
  const start = fc.oneof(fc.nat(5), fc.integer({ min: 2 ** 32 - 20, max: 2 ** 32 - 1 }), fc.constant(2 ** 31));
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 100 }), (from, steps) => {
      const sent = new Unacknowledged();
      sent.resume(from);
      /** What is not acknowledged, as it should be, and what the client has got, all numbers not wrapped. */
      let left: string[] = [];
      let acknowledged = 0;
      let got = 0;
      let names = 0;
      const heard: string[] = [];
      for (const step of steps) {
        switch (step.kind) {
          case 'add': {
            const added = sent.add(`s${names++}`, undefined, step.journaled);
            left.push(added.text);
            expect(added.out).toBe(serialAdd(from, acknowledged + left.length));
            break;
          }
          case 'ready': {
            const waiting = sent.all.find(({ ready }) => !ready);
            if (waiting !== undefined) waiting.ready = true;
            break;
          }
          case 'write': {
            const next = sent.next();
            if (next === undefined) break;
            got++;
            heard.push(next.text);
            expect(next.out).toBe(serialAdd(from, got));
            break;
          }
          case 'acknowledge': {
            const h = acknowledged + Math.floor((got - acknowledged) * step.share);
            expect(sent.allows(serialAdd(from, h))).toBe(true);
            expect(sent.allows(serialAdd(from, got + 1))).toBe(false);
            expect(ids(sent.acknowledge(serialAdd(from, h)))).toEqual(left.slice(0, h - acknowledged));
            left = left.slice(h - acknowledged);
            acknowledged = h;
            break;
          }
          case 'lose': {
            // the client has got some of what was written; the rest comes again
            const h = acknowledged + Math.floor((got - acknowledged) * step.share);
            expect(ids(sent.resume(serialAdd(from, h)))).toEqual(left.slice(0, h - acknowledged));
            left = left.slice(h - acknowledged);
            heard.length = h;
            acknowledged = h;
            got = h;
          }
        }
        expect(ids(sent.all)).toEqual(left);
        expect(sent.count).toBe(serialAdd(from, got));
        expect(sent.written).toBe(got - acknowledged);
        expect(sent.bytes).toBe(left.join('').length);
      }
      expect(heard).toEqual(heard.map((_, index) => `s${index}`));
    }),
  );
});

describe('what goes on another way', () => {
  const start = () => {
    const sent = new Unacknowledged();
    for (const text of ['a', 'bb', 'ccc', 'dddd']) sent.add(text, undefined, false);
    sent.next();
    return sent;
  };

  it('is taken out from among what has not been written', () => {
    const sent = start();
    expect([sent.unwrittenBytes, ids(sent.takeOut(({ text }) => text !== 'ccc'))]).toEqual([9, ['bb', 'dddd']]);
    expect(sent.all.map(({ text, out }) => [text, out])).toEqual([
      ['a', 1],
      ['ccc', 2],
    ]);
    expect([sent.bytes, sent.unwrittenBytes, sent.written]).toEqual([4, 3, 1]);
    expect(sent.takeOut(({ text }) => text === 'a')).toEqual([]);
    expect(sent.next()?.text).toBe('ccc');
    expect([sent.count, sent.unwrittenBytes]).toEqual([2, 0]);
  });

  it('counts as not written once the stream is lost, with its numbers until it is known what arrived', () => {
    const sent = start();
    sent.next();
    expect(ids(sent.unwrite())).toEqual(['a', 'bb']);
    expect([sent.written, sent.unwrittenBytes, sent.mostKnown]).toEqual([0, 10, 2]);
    expect([2, 3].map((h) => sent.allows(h))).toEqual([true, false]);
    sent.add('e', undefined, false);
    sent.takeOut(({ text }) => text === 'ccc');
    expect(ids(sent.resume(1))).toEqual(['a']);
    expect(sent.all.map(({ text, out }) => [text, out])).toEqual([
      ['bb', 2],
      ['dddd', 3],
      ['e', 4],
    ]);
  });

  it('begins anew on a stream that knows nothing of it', () => {
    const sent = start();
    sent.unwrite();
    sent.restart(0);
    expect(sent.all.map(({ out }) => out)).toEqual([1, 2, 3, 4]);
    expect([sent.next()?.text, sent.mostKnown, sent.unwrittenBytes]).toEqual(['a', 1, 9]);
    expect(ids(sent.acknowledge(1))).toEqual(['a']);
    expect([sent.bytes, sent.unwrittenBytes]).toEqual([9, 9]);
  });
});
