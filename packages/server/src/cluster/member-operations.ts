import { EVERY_NODE } from '@parley/keyspace/bus';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { defineOperation } from '@parley/keyspace/operation';
import { commonVersion, type FrameVersions } from './frame-versions.ts';
import { framesOf, type MemberEntry, memberKeys, readEntry, secretCheckOf, writeEntry } from './member.ts';

/** For how long it is remembered who was dealt with. */
export const REMEMBERED_MS = 3_600_000;

/** A member that is declared dead, unless it has beaten since; without a beat in any case. */
export interface Blame {
  readonly id: string;
  readonly beat: string | undefined;
}

/** What a beat found: all entries, at the keyspace's time. */
export interface Roll {
  readonly time: number;
  readonly entries: readonly MemberEntry[];
}

// The keys and arguments of each are told in its Lua file.

/** Why a member was not taken in: it reads no frames of this one that lives, or the other way round, or has another secret. */
export interface Refusal {
  readonly because: MemberEntry;
}

const beatOperation = defineOperation<Roll | Refusal | undefined>({
  name: 'heartbeat',
  lua: new URL('./operations/heartbeat.lua', import.meta.url),
  js(view, [members = ''], args) {
    const [id = '', about = '', number = '', comesBack, remembered, oldest, newest, ...blame] = args.map(String);
    const time = view.now();
    const found = new Map<string, MemberEntry>();
    for (const [name, text] of view.hgetall(members)) {
      const entry = readEntry(name, String(text));
      if (entry) found.set(name, entry);
    }
    const own = found.get(id);
    if (own ? own.state !== 'alive' : comesBack !== '1') return false;

    const changed = new Set<string>();
    const change = (entry: MemberEntry) => {
      found.set(entry.id, entry);
      changed.add(entry.id);
    };
    change({ id, state: 'alive', since: time, beat: number, reaper: '-', about });
    for (let index = 0; index < blame.length; index += 2) {
      const entry = found.get(blame[index] ?? '');
      const beat = blame[index + 1];
      if (entry?.state !== 'alive' || entry.id === id) continue;
      if (beat === '' || beat === entry.beat) change({ ...entry, state: 'dead', since: time });
    }
    const versions = { oldest: Number(oldest), newest: Number(newest) };
    const check = secretCheckOf(about);
    for (const entry of own ? [] : found.values()) {
      if (entry.state !== 'alive') continue;
      const theirs = secretCheckOf(entry.about);
      const sameSecret = check === undefined || theirs === undefined || check === theirs;
      if (sameSecret && commonVersion([framesOf(entry.about), versions]) !== undefined) continue;
      return [-1, entry.id, writeEntry(entry)];
    }
    for (const entry of [...found.values()]) {
      if (entry.reaper === '+') {
        if (time - entry.since <= Number(remembered)) continue;
        view.hdel(members, entry.id);
        found.delete(entry.id);
      } else if (entry.state !== 'alive' && found.get(entry.reaper)?.state !== 'alive') {
        change({ ...entry, reaper: id });
      }
    }
    const entries = [...found.values()];
    const written = entries.filter((entry) => changed.has(entry.id));
    view.hset(
      members,
      written.map((entry) => [entry.id, writeEntry(entry)]),
    );
    return [time, ...entries.flatMap((entry) => [entry.id, writeEntry(entry)])];
  },
  result(reply) {
    if (reply === null) return undefined;
    const [time, ...texts] = reply as [number, ...Buffer[]];
    const entries = texts.flatMap((id, index) =>
      index % 2 === 0 ? (readEntry(String(id), String(texts[index + 1])) ?? []) : [],
    );
    const [because] = entries;
    return time < 0 && because !== undefined ? { because } : { time, entries };
  },
});

const leaveOperation = defineOperation<boolean>({
  name: 'leave',
  lua: new URL('./operations/leave.lua', import.meta.url),
  js(view, [members = ''], [id, frame = '', everyNode]) {
    const entry = readEntry(String(id), String(view.hget(members, String(id)) ?? ''));
    if (entry?.state !== 'alive') return 0;
    view.hset(members, [[entry.id, writeEntry({ ...entry, state: 'left', since: view.now() })]]);
    view.publish(String(everyNode), frame);
    return 1;
  },
  result: (reply) => reply === 1,
});

const dealtWithOperation = defineOperation<boolean>({
  name: 'dealt-with',
  lua: new URL('./operations/dealt-with.lua', import.meta.url),
  js(view, [members = ''], [reaper, gone]) {
    const entry = readEntry(String(gone), String(view.hget(members, String(gone)) ?? ''));
    if (entry === undefined || entry.state === 'alive' || entry.reaper !== String(reaper)) return 0;
    view.hset(members, [[entry.id, writeEntry({ ...entry, since: view.now(), reaper: '+', about: '' })]]);
    return 1;
  },
  result: (reply) => reply === 1,
});

export interface Beat {
  readonly id: string;
  /** What the member tells of itself. */
  readonly about: string;
  readonly number: number;
  /** Where its entry is missing, it is the store that has forgotten. */
  readonly comesBack: boolean;
  /** What it reads. */
  readonly frames: FrameVersions;
  readonly blame: readonly Blame[];
}

/** A beat of a member. Undefined where it was declared dead, or has left. */
export function heartbeat(keyspace: Keyspace, beat: Beat): Promise<Roll | Refusal | undefined> {
  const blame = beat.blame.flatMap(({ id, beat: last }) => [id, last ?? '']);
  const comesBack = beat.comesBack ? 1 : 0;
  const { id, about, number, frames } = beat;
  const args = [id, about, number, comesBack, REMEMBERED_MS, frames.oldest, frames.newest, ...blame];
  return keyspace.call(beatOperation, [memberKeys.key()], args);
}

/** Leaves in order: `frame` goes to all nodes. False where the member was gone before. */
export function leave(keyspace: Keyspace, id: string, frame: Buffer): Promise<boolean> {
  return keyspace.call(leaveOperation, [memberKeys.key()], [id, frame, EVERY_NODE]);
}

/** A gone member's reaper has dealt with what it left behind. False where this is not its reaper. */
export function dealtWith(keyspace: Keyspace, reaper: string, gone: string): Promise<boolean> {
  return keyspace.call(dealtWithOperation, [memberKeys.key()], [reaper, gone]);
}
