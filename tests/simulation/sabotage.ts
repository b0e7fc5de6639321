import type { Command } from '@parley/keyspace/command';
import type { BatchOptions } from '@parley/keyspace/keyspace';
import type { Member } from '@parley/server/cluster/member';
import { Membership } from '@parley/server/cluster/membership';
import { Missed } from '@parley/server/cluster/missed';
import { Reaping } from '@parley/server/cluster/reaping';
import { Reassertion } from '@parley/server/cluster/reassertion';
import { RightfulOwners } from '@parley/server/cluster/rightful-owners';
import { SessionRegistry } from '@parley/server/cluster/session-registry';
import { Backlog } from '@parley/server/session/backlog';
import { JournalWriter } from '@parley/server/session/journal-writer';
import { Management } from '@parley/server/session/management';
import { Origins } from '@parley/server/session/origins';
import { ResumptionStore } from '@parley/server/session/resumption/resumption-store';
import { Unacknowledged } from '@parley/server/session/unacknowledged';
import { OfflineDelivery } from '@parley/server/xeps/0160-offline/offline-delivery';
import { OfflineStore } from '@parley/server/xeps/0160-offline/offline-store';
import { RecentlyStored } from '@parley/server/xeps/0160-offline/recently-stored';
import { Departures } from '@parley/server/xeps/0198-stream-management/departures';
import { NS } from '@parley/xmpp/namespaces';
import { SimulatedKeyspace } from './keyspace.ts';
import { clusterFailover, conversation, household, householdFailover, plots, type Scenario } from './scenario.ts';

/** A rule of the server that is broken, to see that the simulation notices. */
export interface Sabotage {
  readonly name: string;
  /** Where it shows, and a seed with which it does. */
  readonly scenario: Scenario;
  readonly seed: number;
  /** Breaks the rule. The returned function mends it. */
  begin(): () => void;
}

type Method = (...args: never[]) => unknown;

/** Puts another method in the place of one. */
function replace<Class extends object, Name extends keyof Class>(
  prototype: Class,
  name: Name,
  by: (original: Class[Name] & Method) => Method,
): () => () => void {
  return () => {
    const original = prototype[name] as Class[Name] & Method;
    prototype[name] = by(original) as Class[Name];
    return () => {
      prototype[name] = original;
    };
  };
}

const both = (one: Sabotage['begin'], other: Sabotage['begin']) => () => {
  const mends = [one(), other()];
  return () => {
    for (const mend of mends) mend();
  };
};

/**
 * Not one of them is that a session is recorded only when the one before it, of the same resource and node, has ended
 * (`Departures.ended`): epochs, and that what was not committed does not count as taken, keep the two apart without it. It
 * spares the one that ends writes which would be refused, and contacts and clients two sessions of one address.
 */
export const sabotages: readonly Sabotage[] = [
  {
    name: 'a session takes what its sender sends again',
    scenario: conversation,
    seed: 1,
    begin: replace(Origins.prototype, 'has', () => () => false),
  },
  {
    name: 'whose stanzas a session has had is forgotten with its node',
    scenario: conversation,
    seed: 27,
    begin: replace(Origins.prototype, 'entries', () => () => new Map()),
  },
  {
    name: 'stanzas are acknowledged before that is in the journal',
    scenario: household,
    seed: 3,
    begin: replace(
      Management.prototype,
      'answer',
      () =>
        function (this: Management) {
          this.session.stream.send(`<a xmlns='${NS.streamManagement}' h='${this.nextInbound - 1}'/>`);
        },
    ),
  },
  {
    name: 'a stanza counts as dealt with before its recipients have it in their journals',
    scenario: { ...conversation, weights: { kill: 5, start: 3 } },
    seed: 5,
    begin: replace(
      Management.prototype,
      'send',
      (send) =>
        function (this: Management, ...args: never[]) {
          void Reflect.apply(send, this, args);
        },
    ),
  },
  {
    name: 'stanzas are written before the journal has them',
    scenario: plots.diesBeforeItCommits,
    seed: 10,
    begin: replace(
      Unacknowledged.prototype,
      'add',
      (add) =>
        function (this: Unacknowledged, ...args: never[]) {
          return Object.assign(Reflect.apply(add, this, args) as object, { ready: true });
        },
    ),
  },
  {
    name: 'a session is restored without counting up its epoch',
    scenario: plots.claimedMeanwhile,
    seed: 6,
    begin: replace(
      ResumptionStore.prototype,
      'claim',
      () =>
        function (this: ResumptionStore, ...args: Parameters<ResumptionStore['claim']>) {
          return this.read(args[0], args[1]);
        },
    ),
  },
  {
    name: 'a journal that failed is not written anew',
    scenario: conversation,
    seed: 2,
    begin: replace(
      ResumptionStore.prototype,
      'write',
      (write) =>
        async function (this: ResumptionStore, ...args: never[]) {
          return (Reflect.apply(write, this, args) as Promise<boolean>).catch(() => true);
        },
    ),
  },
  {
    name: 'entries are appended to journals that are gone',
    scenario: plots.claimedMeanwhile,
    seed: 12,
    begin: both(
      replace(
        SimulatedKeyspace.prototype,
        'rpushx',
        () =>
          function (this: SimulatedKeyspace, ...args: Parameters<SimulatedKeyspace['rpush']>) {
            return this.rpush(...args);
          },
      ),
      // what comes with a header
      replace(
        SimulatedKeyspace.prototype,
        'batch',
        (batch) =>
          function (this: SimulatedKeyspace, list: readonly Command[], options: BatchOptions) {
            const appending = list.map((command) =>
              command[0] === 'rpushx' ? ['rpush', ...command.slice(1)] : command,
            );
            return Reflect.apply(batch, this, [appending, options] as never[]);
          },
      ),
    ),
  },
  {
    name: 'what a session left behind is not let go of',
    scenario: household,
    seed: 1,
    begin: replace(ResumptionStore.prototype, 'keepWaiting', () => () => Promise.resolve()),
  },
  {
    name: 'what a session left behind is dropped',
    scenario: household,
    seed: 4,
    begin: replace(
      Backlog.prototype,
      'takeAll',
      (take) =>
        function (this: Backlog) {
          Reflect.apply(take, this, []);
          return [];
        },
    ),
  },
  {
    name: 'a client that resumes gets everything again',
    scenario: conversation,
    seed: 1,
    begin: replace(
      Unacknowledged.prototype,
      'resume',
      (resume) =>
        function (this: Unacknowledged, h: number) {
          for (const sent of this.all) sent.out = undefined;
          return Reflect.apply(resume, this, [h as never]);
        },
    ),
  },
  {
    name: 'the journal writes no more once it was slow',
    scenario: conversation,
    seed: 3,
    begin: replace(JournalWriter.prototype, 'takeOver', () => (change: () => void) => {
      change();
      return Promise.resolve(true);
    }),
  },
  {
    name: 'stored messages are removed as soon as they are read',
    scenario: household,
    seed: 8,
    begin: replace(
      OfflineStore.prototype,
      'page',
      (page) =>
        async function (this: OfflineStore, ...args: Parameters<OfflineStore['page']>) {
          const found = (await Reflect.apply(page, this, args)) as Awaited<ReturnType<OfflineStore['page']>>;
          await this.remove(args[0], found.first + found.texts.length);
          return found;
        },
    ),
  },
  {
    name: 'the storage forgets who sent what',
    scenario: plots.storedAndSaidAgain,
    seed: 2,
    begin: replace(
      OfflineStore.prototype,
      'add',
      (add) =>
        function (this: OfflineStore, ...args: never[]) {
          return Reflect.apply(add, this, args.slice(0, 3) as never[]);
        },
    ),
  },
  {
    name: 'a session is taken before the others have told the keyspace what they have of it',
    scenario: plots.forgottenBeginning,
    seed: 7,
    begin: replace(RightfulOwners.prototype, 'told', () => () => undefined),
  },
  {
    name: 'a session is written anew though another node may have it',
    scenario: plots.forgottenMove,
    seed: 7,
    begin: replace(RightfulOwners.prototype, 'isUndisputed', () => () => Promise.resolve(true)),
  },
  {
    name: 'what some session has had is handed over again where the keyspace has lost that',
    scenario: plots.forgottenHandover,
    seed: 9,
    begin: replace(RecentlyStored.prototype, 'wasTaken', () => () => false),
  },
  {
    name: 'what gone members left is dealt with once, whatever the keyspace has lost',
    scenario: plots.reapedInVain,
    seed: 34,
    begin() {
      const done = new WeakMap<Reaping, Set<string>>();
      return replace(
        Reaping.prototype,
        'of',
        (of) =>
          function (this: Reaping, member: Member) {
            const before = done.get(this) ?? new Set();
            if (before.has(member.id)) return Promise.resolve();
            done.set(this, before.add(member.id));
            return Reflect.apply(of, this, [member as never]);
          },
      )();
    },
  },
  {
    name: 'journals are not written anew where the store has lost something',
    scenario: clusterFailover,
    seed: 4,
    begin: replace(Backlog.prototype, 'storeChanged', () => () => {}),
  },
  {
    name: 'a session that is ending is not told that the store has lost something',
    scenario: plots.endsInAFailover,
    seed: 9,
    begin: replace(Departures.prototype, 'storeChanged', () => () => {}),
  },
  {
    name: 'a node that leaves does not wait for what the store lacks',
    scenario: plots.leavesInAFailover,
    seed: 2,
    begin: replace(Reassertion.prototype, 'leave', () => (leave: () => Promise<void>) => leave()),
  },
  {
    name: 'what was stored lately is not stored again where the store has lost it',
    scenario: householdFailover,
    seed: 28,
    begin: replace(RecentlyStored.prototype, 'restore', () => () => {}),
  },
  {
    name: 'what several nodes stored of one sender is put back as if it were one that did',
    scenario: plots.storedByTwo,
    seed: 1,
    begin: replace(
      OfflineStore.prototype,
      'restore',
      () =>
        async function (this: OfflineStore, ...[account, text, origin]: Parameters<OfflineStore['restore']>) {
          await this.add(account, text, { maxMessages: Infinity, maxBytes: Infinity }, origin);
        },
    ),
  },
  {
    name: 'a node that leaves asks one shard whether it has lost something',
    scenario: plots.leavesInHerFailover,
    seed: 13,
    begin: replace(
      SimulatedKeyspace.prototype,
      'answered',
      () =>
        async function (this: SimulatedKeyspace) {
          await this.now();
        },
    ),
  },
  {
    name: 'a session that was restored is not handed what is stored',
    scenario: plots.diesBeforeItLooks,
    seed: 19,
    begin: replace(OfflineDelivery.prototype, 'restored', () => () => {}),
  },
  {
    name: 'a node that was given up takes sessions',
    scenario: plots.givenUp,
    seed: 5,
    begin: replace(Membership.prototype, 'confirmed', () => () => undefined),
  },
  {
    name: 'a session that was replaced lives on where nobody said so',
    scenario: plots.silentSuccessor,
    seed: 1,
    begin: replace(SessionRegistry.prototype, 'came', () => () => {}),
  },
  {
    name: 'what an ended session did not commit counts as taken',
    scenario: plots.replacedWhileItTakes,
    seed: 1,
    begin: replace(
      Management.prototype,
      'send',
      (send) =>
        function (this: Management, ...args: never[]) {
          const taken: unknown = Reflect.apply(send, this, args);
          return taken instanceof Promise ? Promise.race([taken, this.backlog.journal.written]) : taken;
        },
    ),
  },
  {
    name: 'what one of several sessions missed is not looked after',
    scenario: plots.bothLeave,
    seed: 1,
    begin: replace(Missed.prototype, 'by', () => () => Promise.resolve()),
  },
  {
    name: 'a session is claimed whatever has changed since it was read',
    scenario: plots.claimedMeanwhile,
    seed: 7,
    begin: replace(
      ResumptionStore.prototype,
      'takeOver',
      (takeOver) =>
        function (this: ResumptionStore, ...args: Parameters<ResumptionStore['takeOver']>) {
          args[6] = undefined;
          return Reflect.apply(takeOver, this, args);
        },
    ),
  },
];
