import { XmlReader } from '@parley/xmpp/xml-reader';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { xmlStream } from './arbitrary-xml.ts';
import { mutate, mutations } from './mutation.ts';
import { LIMITS, treeOf } from './reading.ts';
import { numRuns } from './runs.ts';

/** A stream in pieces. */
const pieces = fc
  .tuple(
    xmlStream,
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: mutations }),
    fc.infiniteStream(fc.integer({ min: 1, max: 60 })),
  )
  .map(([text, changes, sizes]) => {
    const bytes = mutate(Buffer.from(text), changes);
    const list: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += (list.at(-1) as Buffer).length) {
      list.push(bytes.subarray(at, at + (sizes.next().value as number)));
    }
    return list;
  });

/** A reader and everything that it said. */
function watched(): { write(bytes: Buffer): void; said: unknown[] } {
  const said: unknown[] = [];
  const reader = new XmlReader(
    {
      onStreamOpen: (root, contentNs) => said.push([treeOf(root), contentNs]),
      onElement: (element) => said.push([treeOf(element), element.source]),
      onStreamClose: () => said.push('closed'),
    },
    LIMITS,
  );
  const write = (bytes: Buffer) => {
    try {
      reader.write(bytes);
    } catch (error) {
      said.push((error as Error).message);
    }
  };
  return { write, said };
}

test('what is read from one stream has nothing to do with what is read from others at the same time', () => {
  fc.assert(
    fc.property(fc.array(pieces, { minLength: 2, maxLength: 4 }), fc.infiniteStream(fc.nat(3)), (streams, turns) => {
      const alone = streams.map((stream) => {
        const { write, said } = watched();
        for (const piece of stream) write(piece);
        return said;
      });
      const together = streams.map(watched);
      const left = streams.map((stream) => [...stream]);
      while (left.some((stream) => stream.length > 0)) {
        const turn = (turns.next().value as number) % streams.length;
        const piece = left[turn]?.shift();
        if (piece !== undefined) together[turn]?.write(piece);
      }
      expect(together.map(({ said }) => said)).toEqual(alone);
    }),
    { numRuns },
  );
});
