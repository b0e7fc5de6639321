import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outbox } from './outbox.ts';

const item = (text: string) => Buffer.from(text);
const texts = (items: Buffer[]) => items.map(String);

describe('the outbox', () => {
  it('fills a frame, and the window', () => {
    const outbox = new Outbox();
    for (const text of ['a', 'b', 'c', 'd', 'e']) outbox.push(item(text.repeat(92))); // a cost of 100 each
    expect(texts(outbox.take(250, 450)).map((text) => text[0])).toEqual(['a', 'b']);
    expect(outbox.next).toBe(3);
    expect(outbox.take(250, 450)).toHaveLength(2);
    expect(outbox.take(250, 450)).toHaveLength(0);
    expect(outbox.acknowledge(1)).toBe(true);
    expect(outbox.take(250, 450)).toHaveLength(1);
  });

  it('sends one that is larger than all limits by itself', () => {
    const outbox = new Outbox();
    for (let i = 0; i < 2; i++) outbox.push(Buffer.alloc(1000));
    expect(outbox.take(250, 450)).toHaveLength(1);
    expect(outbox.take(250, 450)).toHaveLength(0);
    outbox.acknowledge(1);
    expect(outbox.take(250, 450)).toHaveLength(1);
  });

  it('knows what can have arrived', () => {
    const outbox = new Outbox();
    outbox.push(item('a'));
    expect([outbox.canHave(0), outbox.canHave(1)]).toEqual([true, false]);
    outbox.take(1, 1);
    outbox.rewind();
    expect([outbox.canHave(1), outbox.canHave(2)]).toEqual([true, false]);
    outbox.acknowledge(1);
    expect([outbox.canHave(1), outbox.canHave(2)]).toEqual([true, false]);
    expect(outbox.acknowledge(1)).toBe(false);
  });

  it('has every item under its number, whatever is sent, acknowledged and sent again', () => {
    const step = fc.oneof(
      fc.record({ push: fc.nat(2000) }),
      fc.record({ take: fc.nat(4000) }),
      fc.record({ acknowledge: fc.nat(100) }),
      fc.constant({ rewind: true as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const outbox = new Outbox();
        let [pushed, sent, acknowledged, cursor] = [0, 0, 0, 0];
        for (const step of steps) {
          if ('push' in step) {
            for (let i = 0; i < step.push; i++) outbox.push(item(String(++pushed)));
          } else if ('take' in step) {
            expect(outbox.next).toBe(cursor + 1);
            const taken = texts(outbox.take(step.take * 10, 100_000));
            expect(taken).toEqual(taken.map(() => String(++cursor)));
            sent = Math.max(sent, cursor);
          } else if ('rewind' in step) {
            outbox.rewind();
            cursor = acknowledged;
          } else {
            const upTo = acknowledged + Math.floor(((sent - acknowledged) * step.acknowledge) / 100);
            expect(outbox.canHave(upTo)).toBe(true);
            expect(outbox.acknowledge(upTo)).toBe(upTo > acknowledged);
            acknowledged = upTo;
            cursor = Math.max(cursor, acknowledged);
          }
          expect(outbox.canHave(sent + 1)).toBe(false);
          expect(outbox.isEmpty).toBe(acknowledged === pushed);
        }
        outbox.rewind();
        cursor = acknowledged;
        while (cursor < pushed) {
          const taken = texts(outbox.take(1e6, 1e9));
          expect(taken).toEqual(taken.map(() => String(++cursor)));
        }
        outbox.acknowledge(pushed);
        expect(outbox.bytes).toBe(0);
      }),
    );
  });
});
