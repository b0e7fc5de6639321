import { defineOperation } from '@parley/keyspace/operation';
import { LAST } from './group-keys.ts';

/** The revisions of a group around a change: 0 before where there was none, 0 after where there is none to change. */
export interface GroupRevisions {
  readonly before: number;
  readonly after: number;
}

/** The revision of a group, and the text behind it. */
export function readGroup(kept: Buffer | string): [revision: number, head: string] {
  const text = kept.toString();
  const space = text.indexOf(' ');
  return [Number(text.slice(0, space)), text.slice(space + 1)];
}

/** Changes a group at once. Its keys and arguments are in the Lua file. */
export const changeGroup = defineOperation<GroupRevisions>({
  name: 'change-group',
  lua: new URL('./change-group.lua', import.meta.url),
  js(view, [groups = '', members = ''], args) {
    const [id = '', head = '', leaving = '0', ...people] = args.map(String);
    const kept = view.hget(groups, id);
    if (kept === undefined && (head === '' || head === '-')) return [0, 0];
    const [before, headBefore] = kept === undefined ? [0, ''] : readGroup(kept);
    const last = Number(view.hget(groups, LAST) ?? 0) + 1;
    view.hset(groups, [[LAST, String(last)]]);
    if (head === '-') {
      view.hdel(groups, id);
      view.del(members);
      return [before, last];
    }
    view.hset(groups, [[id, `${last} ${head === '' ? headBefore : head}`]]);
    const gone = people.slice(0, Number(leaving));
    if (gone.length > 0) view.hdel(members, ...gone);
    const come: [string, string][] = [];
    for (let i = gone.length; i + 1 < people.length; i += 2) come.push([people[i] as string, people[i + 1] as string]);
    if (come.length > 0) view.hset(members, come);
    return [before, last];
  },
  result(reply) {
    const [before, after] = reply as [number, number];
    return { before, after };
  },
});
