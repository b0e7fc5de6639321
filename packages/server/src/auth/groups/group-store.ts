import type { Keyspace } from '@parley/keyspace/keyspace';
import { changeGroup, type GroupRevisions, readGroup } from './change-group.ts';
import type { GroupHead, GroupWish } from './group.ts';
import { groupKeys, groupMemberKeys, LAST } from './group-keys.ts';

/** A group as it is kept. */
export interface KeptGroup {
  readonly revision: number;
  readonly head: GroupHead;
}

/** The groups in the keyspace. */
export class GroupStore {
  readonly #keyspace: Keyspace;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** The last revision of all groups: another one than before where any of them was changed. */
  async revision(): Promise<number> {
    return Number((await this.#keyspace.hget(groupKeys.key(), LAST)) ?? 0);
  }

  /** All groups by id, without their members, and the last revision. */
  async heads(): Promise<{ revision: number; groups: Map<string, KeptGroup> }> {
    const fields = await this.#keyspace.hgetall(groupKeys.key());
    const revision = Number(fields.get(LAST) ?? 0);
    fields.delete(LAST);
    const groups = new Map<string, KeptGroup>();
    for (const [id, kept] of fields) groups.set(id, decode(kept));
    return { revision, groups };
  }

  /** A group with its members and their names, all of one moment; undefined where there is no such group. */
  async find(id: string): Promise<(KeptGroup & { members: Map<string, string> }) | undefined> {
    const [kept, fields] = await this.#keyspace.batch(
      [
        ['hget', groupKeys.key(), id],
        ['hgetall', groupMemberKeys.key(id)],
      ],
      { atomic: true },
    );
    if (kept === undefined) return undefined;
    const members = new Map<string, string>();
    for (const [jid, name] of fields) members.set(jid, name.toString());
    return { ...decode(kept), members };
  }

  /** `after` is 0 where there is no such group and the wish does not say what it is. */
  change(id: string, { head, add = new Map(), remove = [] }: GroupWish): Promise<GroupRevisions> {
    const text = head === undefined ? '' : JSON.stringify(head);
    const args = [id, text, remove.length, ...remove, ...[...add].flat()];
    return this.#keyspace.call(changeGroup, [groupKeys.key(), groupMemberKeys.key(id)], args);
  }

  remove(id: string): Promise<GroupRevisions> {
    return this.#keyspace.call(changeGroup, [groupKeys.key(), groupMemberKeys.key(id)], [id, '-', 0]);
  }
}

function decode(kept: Buffer): KeptGroup {
  const [revision, head] = readGroup(kept);
  return { revision, head: JSON.parse(head) as GroupHead };
}
