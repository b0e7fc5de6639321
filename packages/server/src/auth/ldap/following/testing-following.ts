/** Nodes that follow a directory, for tests. */
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Registry } from '@parley/metrics/registry';
import { onTestFinished } from 'vitest';
import type { ActiveDirectory } from '../../../../../../tests/services/active-directory.ts';
import { ActiveDirectory as Ad } from '../../../../../../tests/services/active-directory.ts';
import { inTime } from '../../../../../../tests/support/in-time.ts';
import { Log } from '../../../log.ts';
import { Peers } from '../../../peers.ts';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import { LdapDirectory } from '../ldap-directory.ts';
import { PATIENT, settingsFor } from '../testing.ts';
import { FollowedDirectory } from './followed-directory.ts';
import type { KnownPeople, PersonChange } from './known-people.ts';

/** What one node hears, in words: `moved romeo@localhost (was …) active`. */
export class Heard {
  readonly all: string[] = [];
  #waiting: { count: number; done: () => void } | undefined;

  add({ kind, account, before, state, elsewhere }: PersonChange): void {
    const was = before === undefined ? '' : ` (was ${before.local})`;
    this.all.push(`${kind} ${account.local}${was} ${state.kind}${elsewhere ? ' elsewhere' : ''}`);
    if (this.#waiting !== undefined && this.all.length >= this.#waiting.count) this.#waiting.done();
  }

  /** The next so many, and none more. */
  async next(count: number): Promise<string[]> {
    if (this.all.length < count) {
      const come = new Promise<void>((done) => {
        this.#waiting = { count, done };
      });
      await inTime(come, () => `Only this was heard of ${count} changes: ${this.all.join(', ')}`);
      this.#waiting = undefined;
    }
    return this.all.splice(0);
  }
}

export interface FollowingNode {
  readonly people: KnownPeople;
  readonly ldap: LdapDirectory;
  readonly heard: Heard;
  readonly registry: Registry;
  readonly log: LogLines;
  /** How many entries the directory has given to this node since it was asked last. */
  entriesRead(): number;
  /** Resolves when it follows, and everything is known. */
  followed(): Promise<void>;
  stop(): Promise<void>;
}

/** The log as events. */
export class LogLines {
  readonly events: { event: string; [field: string]: unknown }[] = [];
  readonly log = Log.create({ level: 'debug', output: { write: (line) => this.#add(line) } });
  readonly #waiting: { event: string; done: (line: object) => void }[] = [];

  #add(line: string): void {
    const event = JSON.parse(line);
    this.events.push(event);
    for (const each of this.#waiting.splice(0)) {
      if (each.event === event.event) each.done(event);
      else this.#waiting.push(each);
    }
  }

  /** The next line of this event. */
  next(event: string): Promise<{ [field: string]: unknown }> {
    const come = new Promise<{ [field: string]: unknown }>((done) => {
      this.#waiting.push({ event, done: (line) => done(line as { [field: string]: unknown }) });
    });
    const line = inTime(come, () => `No ${event} among ${this.events.map((each) => each.event).join(', ')}`);
    line.catch(() => {}); // whoever waits for it hears of it: nobody has to
    return line;
  }
}

export async function memoryKeyspace(): Promise<Keyspace> {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  return keyspace;
}

/** Has some nodes tell each other. */
export function connectPeers(count: number): Peers[] {
  const peers = Array.from({ length: count }, () => new Peers());
  for (const each of peers) {
    each.connect(async (subject, text) => {
      await Promise.all(peers.filter((other) => other !== each).map((other) => other.receive(subject, text)));
    });
  }
  return peers;
}

export interface NodeOptions {
  readonly keyspace: Keyspace;
  /** One `directories` entry of a configuration. */
  readonly entry: object;
  readonly peers?: Peers;
  readonly holder?: string;
  readonly leaseMs?: number;
}

/** Starts to follow. Ends with the test. */
export function startFollowing({
  keyspace,
  entry,
  peers,
  holder = 'node',
  leaseMs = 60_000, // nobody takes over from a process that stands still for a while
}: NodeOptions): FollowingNode {
  const lines = new LogLines();
  const registry = new Registry();
  const ldap = new LdapDirectory(settingsFor(entry), lines.log, registry.metrics);
  let read = 0;
  const directory: Directory = Object.create(ldap, {
    person: {
      value: (given: Entry) => {
        read++;
        return ldap.person(given);
      },
    },
    name: { value: ldap.name },
    settings: { value: ldap.settings },
    deadline: { value: () => ldap.deadline() },
    search: { value: ldap.search.bind(ldap) },
    searchPages: { value: ldap.searchPages.bind(ldap) },
    rootDse: { value: () => ldap.rootDse() },
    socket: { value: ldap.socket.bind(ldap) },
  });
  const following = new FollowedDirectory({
    directory,
    keyspace,
    peers: peers ?? new Peers(),
    metrics: registry.metrics,
    log: lines.log,
    holder,
    leaseMs: () => leaseMs,
    onFault: (error) => lines.log.error('node.fault', { error: error as Error }),
  });
  const heard = new Heard();
  following.people.onChange((change) => heard.add(change));
  const first = lines.next('directory.followed');
  following.start();
  const stop = async () => {
    await following.stop();
    await ldap.close();
  };
  onTestFinished(stop);
  return {
    people: following.people,
    ldap,
    heard,
    registry,
    log: lines,
    entriesRead: () => {
      const count = read;
      read = 0;
      return count;
    },
    followed: async () => void (await first),
    stop,
  };
}

/** One `directories` entry for the tests' Active Directory. */
export const activeDirectoryEntry = (directory: ActiveDirectory, more: object = {}): object => ({
  ...PATIENT,
  name: 'corp',
  type: 'activeDirectory',
  servers: [directory.url],
  startTls: false,
  allowUnencrypted: true,
  bind: Ad.service,
  people: { base: Ad.people },
  ...more,
});
