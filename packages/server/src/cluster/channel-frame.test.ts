import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channelFrame, readChannelFrame } from './channel-frame.ts';

const count = fc.maxSafeNat();
const news = fc.record({
  own: count.map((number) => number || 1),
  peer: count,
  hello: fc.boolean(),
  ask: fc.boolean(),
  received: count,
  first: count.map((number) => number || 1),
});
const items = fc.array(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)));
const head = Buffer.from('head');

describe('a frame of a channel', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(news, items, (said, sent) => {
        const frame = channelFrame(head, said, sent);
        expect(frame.subarray(0, 4)).toEqual(head);
        expect(readChannelFrame(frame.subarray(4))).toEqual({ ...said, items: sent });
      }),
    );
  });

  it('is either read or damaged, whatever it holds', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (some) => {
        try {
          readChannelFrame(Buffer.from(some));
        } catch (error) {
          expect(error).toMatchObject({ failure: 'damaged' });
        }
      }),
    );
  });

  it('is damaged where it ends within an item', () => {
    const said = { own: 1, peer: 1, hello: false, ask: false, received: 0, first: 1 };
    const frame = channelFrame(Buffer.of(), said, [Buffer.from('wherefore')]);
    expect(() => readChannelFrame(frame.subarray(0, -1))).toThrow('it ends too early');
    expect(() => readChannelFrame(channelFrame(Buffer.of(), { ...said, own: 0 }))).toThrow('a number in it is 0');
  });
});
