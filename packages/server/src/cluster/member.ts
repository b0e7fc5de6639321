import { declareKeys } from '@parley/keyspace/key-declaration';
import { FIRST_VERSIONS, type FrameVersions } from './frame-versions.ts';

/** A node that runs in the cluster. */
export interface Member {
  /** 16 hex digits, new at every start and after the node was declared dead. */
  readonly id: string;
  readonly name: string;
  readonly startedAt: number;
  readonly frames: FrameVersions;
  /** Of the program. */
  readonly version: string;
  /** The same for all that have the same `cluster.secret`, of which it tells nothing; older programs tell none. */
  readonly secretCheck?: string | undefined;
}

export const memberKeys = declareKeys({
  name: 'members',
  scope: 'global',
  type: 'hash',
  content:
    'node → state (alive, left, dead), time of its last beat or of its end, number of its last beat, who deals with ' +
    'what it left behind (- nobody yet, + done), and its name, start, versions of frames and of the program, and a check of its `cluster.secret` as JSON',
  bound: 'the nodes that run, and those that ended within the last hour',
  ttl: 'none',
});

/** What is known of a node that runs or that has gone. */
export interface MemberEntry {
  readonly id: string;
  readonly state: 'alive' | 'left' | 'dead';
  /** When it beat last, or went; by the keyspace's clock. */
  readonly since: number;
  /** The number of its last beat. */
  readonly beat: string;
  /** Who deals with what it left behind: `-` nobody yet, `+` that is done. */
  readonly reaper: string;
  /** What it tells of itself. */
  readonly about: string;
}

const form = /^(alive|left|dead) (\d+) (\d+) (\S+) (.*)$/s;

/** Undefined where the text is no entry. */
export function readEntry(id: string, text: string): MemberEntry | undefined {
  const [, state, since, beat = '', reaper = '', about = ''] = form.exec(text) ?? [];
  if (state !== 'alive' && state !== 'left' && state !== 'dead') return undefined;
  return { id, state, since: Number(since), beat, reaper, about };
}

export const writeEntry = ({ state, since, beat, reaper, about }: MemberEntry): string =>
  `${state} ${since} ${beat} ${reaper} ${about}`;

/** The versions of frames and the check of the secret, as they stand in it, are read by an operation, too: see `heartbeat.lua`. */
export const describeMember = ({ name, startedAt, frames, version, secretCheck }: Member): string =>
  JSON.stringify({ name, startedAt, frames: [frames.oldest, frames.newest], version, secretCheck });

/** What a member told of the frames that it reads. */
export function framesOf(about: string): FrameVersions {
  // within a text of JSON the quotation marks would have a backslash before them
  const [, oldest, newest] = /"frames":\[(\d+),(\d+)\]/.exec(about) ?? [];
  return newest === undefined ? FIRST_VERSIONS : { oldest: Number(oldest), newest: Number(newest) };
}

/** What a member told by which its secret is compared with others'. */
export const secretCheckOf = (about: string): string | undefined => /"secretCheck":"([0-9a-f]+)"/.exec(about)?.[1];

/** What a member told of itself, as far as it can be read. It may be of another version. */
export function memberOf({ id, about }: MemberEntry): Member {
  let told: Partial<Record<keyof Member, unknown>> | null = null;
  try {
    told = JSON.parse(about);
  } catch {
    // it is dealt with, and nobody needs more than its id
  }
  const { name, startedAt, version } = told ?? {};
  return {
    id,
    name: typeof name === 'string' ? name : id,
    startedAt: typeof startedAt === 'number' ? startedAt : 0,
    frames: framesOf(about),
    version: typeof version === 'string' ? version : '',
    secretCheck: secretCheckOf(about),
  };
}
