import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Frames, frameHead, readFrame } from './frame.ts';

const SENDER = '0123456789abcdef';

const frame = (body: string, ext: number[] = []) => {
  const head = frameHead('channel', SENDER);
  return Buffer.concat([head.subarray(0, -1), Buffer.of(ext.length, ...ext), Buffer.from(body)]);
};

describe('a frame', () => {
  it('is read as it was written', () => {
    for (const kind of ['channel', 'announcement'] as const) {
      const read = readFrame(Buffer.concat([frameHead(kind, SENDER), Buffer.from('body')]));
      expect(read).toEqual({ kind, version: 1, sender: SENDER, body: Buffer.from('body') });
    }
  });

  it('is read in the versions that are read, and in no other', () => {
    const of = (version: number) => Buffer.concat([frameHead('channel', SENDER, version), Buffer.from('body')]);
    const read = [1, 2, 3, 4].map((version) => readFrame(of(version), { oldest: 2, newest: 3 })?.version);
    expect(read).toEqual([undefined, 2, 3, undefined]);
  });

  it('may say more than this version knows', () => {
    expect(readFrame(frame('body', [7, 2, 1, 1, 9, 0]))).toEqual(readFrame(frame('body')));
  });

  it('is from a member', () => {
    expect(() => frameHead('channel', 'balcony')).toThrow(RangeError);
  });

  it('is either read or damaged, whatever it holds', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.uint8Array().map((rest) => [0xb5, 1, 1, ...rest]),
    );
    fc.assert(
      fc.property(bytes, (some) => {
        try {
          readFrame(Buffer.from(some));
        } catch (error) {
          expect(error).toMatchObject({ failure: 'damaged' });
        }
      }),
    );
  });
});

describe('frames', () => {
  const receiving = () => {
    const bodies: string[] = [];
    const damaged: string[] = [];
    const others: string[] = [];
    const frames = new Frames({
      onFrame: ({ body }) => bodies.push(body.toString()),
      onOtherVersion: (sender, version) => others.push(`${sender} ${version}`),
      onDamaged: (sender, error) => damaged.push(`${sender}: ${error.message}`),
    });
    return { frames, bodies, others, damaged };
  };

  it('of another version are ignored, which is said', () => {
    const { frames, bodies, others, damaged } = receiving();
    const later = frame('later');
    later[1] = 2;
    const other = Buffer.from(later);
    other[3] = 0xff;
    for (const bytes of [later, frame('now'), later, other, later]) frames.receive(bytes);
    expect(bodies).toEqual(['now']);
    expect(others).toEqual([`${SENDER} 2`, `${SENDER} 2`, 'ff23456789abcdef 2', `${SENDER} 2`]);
    expect([damaged, frames.damaged]).toEqual([[], 0]);
  });

  it('of an unknown kind, or damaged, are ignored', () => {
    const { frames, bodies, damaged } = receiving();
    const unknown = frame('unknown');
    unknown[2] = 9;
    for (const bytes of [unknown, Buffer.from('PING'), Buffer.of(), frame('').subarray(0, -1)]) frames.receive(bytes);
    expect(bodies).toEqual([]);
    expect(damaged).toEqual([
      `${SENDER}: A frame from another node cannot be read: its kind is 9, which is not known.`,
      ': A frame from another node cannot be read: it does not begin as one.',
    ]);
  });

  it('of made-up senders are not all spoken of', () => {
    const { frames, damaged } = receiving();
    for (let number = 0; number < 1000; number++) {
      const unknown = frame('');
      unknown[2] = 9;
      unknown.writeUInt16BE(number, 3);
      frames.receive(unknown);
    }
    expect(damaged).toHaveLength(256);
  });
});
