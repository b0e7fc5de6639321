import type { GroupDelta, GroupHead } from './group.ts';

/** A change of a group as text, for other nodes. */
export const writeDelta = ({ id, before, after, head, add, remove }: GroupDelta): string =>
  JSON.stringify({ id, before, after, ...(head !== undefined && { head }), add: [...add], remove });

export function readDelta(text: string): GroupDelta {
  const { add, ...rest } = JSON.parse(text) as {
    id: string;
    before: number;
    after: number;
    head?: GroupHead | null;
    add: [string, string][];
    remove: string[];
  };
  return { ...rest, add: new Map(add) };
}
