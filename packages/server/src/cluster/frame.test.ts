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
      expect(read).toEqual({ kind, sender: SENDER, body: Buffer.from('body') });
    }
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
    const frames = new Frames({
      onFrame: ({ body }) => bodies.push(body.toString()),
      onDamaged: (sender, error) => damaged.push(`${sender}: ${error.message}`),
    });
    return { frames, bodies, damaged };
  };

  it('of another version are ignored, which is said once of each sender', () => {
    const { frames, bodies, damaged } = receiving();
    const later = frame('later');
    later[1] = 2;
    const other = Buffer.from(later);
    other[3] = 0xff;
    for (const bytes of [later, frame('now'), later, other, later]) frames.receive(bytes);
    expect(bodies).toEqual(['now']);
    const why = 'A frame from another node cannot be read: its format is 2, and this version of the server reads 1.';
    expect(damaged).toEqual([`${SENDER}: ${why}`, `ff23456789abcdef: ${why}`]);
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
      unknown[1] = 2;
      unknown.writeUInt16BE(number, 3);
      frames.receive(unknown);
    }
    expect(damaged).toHaveLength(256);
  });
});
