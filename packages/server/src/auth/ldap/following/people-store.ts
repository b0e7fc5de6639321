import type { Command } from '@parley/keyspace/command';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import type { Announced } from './known-people.ts';
import { readPerson, sameState } from './known-person.ts';
import type { Effects, PeopleById } from './people-by-id.ts';
import { type IdRecord, readIdRecord, writeIdRecord } from './person-id-record.ts';
import { ID_SHARDS, personFormerKeys, personIdKey, personIdKeys, personKeys } from './sync-keys.ts';
import { LeaseLost } from './sync-lease.ts';
import { putPerson, removePerson } from './sync-operations.ts';

type Tell = (changes: readonly Announced[]) => Promise<void>;

/** What was begun and not ended when it was written. */
interface CutShort {
  readonly accounts: Set<string>;
  readonly undo: Command[];
}

/** So long it is known whose an address was. */
const FORMER_MS = 400 * 86_400_000;

const NOBODY: IdRecord = { account: '', dn: '', state: { kind: 'active' } };

/** The people of a directory in the keyspace, as the node that follows it writes them. */
export class PeopleStore {
  readonly #keyspace: Keyspace;
  readonly #directory: string;
  readonly #epoch: number;
  readonly #onSuccessor: (account: string, former: string, id: string) => Promise<void>;

  /** `onSuccessor`: an address comes to be that of another person than the one who had it; nobody knows of it yet. */
  constructor(
    keyspace: Keyspace,
    directory: string,
    epoch: number,
    onSuccessor: (account: string, former: string, id: string) => Promise<void> = async () => {},
  ) {
    this.#keyspace = keyspace;
    this.#directory = directory;
    this.#epoch = epoch;
    this.#onSuccessor = onSuccessor;
  }

  /** Reads everybody, and what was cut short when it was written: `mend` it. */
  async load(index: PeopleById): Promise<CutShort> {
    const cutShort: CutShort = { accounts: new Set(), undo: [] };
    for (let shard = 0; shard < ID_SHARDS; shard++) {
      const key = personIdKeys.key(this.#directory, String(shard));
      for (const [id, line] of await this.#keyspace.hgetall(key)) {
        const record = readIdRecord(line.toString());
        if (record === undefined) throw new KeyspaceError('damaged', `What is kept of ${id} cannot be read.`);
        const { next, ...before } = record;
        if (next === undefined || before.account !== '') index.restore(id, before);
        if (next === undefined) continue;
        // it is as it was before: the directory tells of the change again
        for (const account of [before.account, next]) if (account !== '') cutShort.accounts.add(account);
        cutShort.undo.push(this.#keep(id, before.account === '' ? undefined : before));
      }
    }
    for (const account of index.shared) {
      const owner = await this.#keyspace.hget(this.#key(account), 'id');
      if (owner !== undefined) index.own(account, owner.toString());
    }
    return cutShort;
  }

  /** What is known by address becomes what is kept by id; what differs is told. */
  async mend({ accounts, undo }: CutShort, index: PeopleById, tell: Tell): Promise<void> {
    const changes: Announced[] = [];
    const shared = new Set(index.shared);
    for (const account of accounts) {
      const known = readPerson(await this.#keyspace.hgetall(this.#key(account)));
      const id = index.ownerOf(account);
      const record = id === undefined ? undefined : index.get(id);
      const jid = Jid.parse(account);
      if (known !== undefined && (known.id !== id || shared.has(account))) {
        // of several who have it, it may have gone from one to the other without a word
        await this.#write([{ id: known.id, account }]);
        changes.push({ kind: 'removed', account: jid, state: known.state });
      }
      if (id === undefined || record === undefined) continue;
      const { dn, state } = record;
      if (!shared.has(account) && known?.id === id && known.dn === dn && sameState(known.state, state)) continue;
      await this.#write([{ id, account, record }]);
      changes.push({ kind: known?.id === id && !shared.has(account) ? 'changed' : 'added', account: jid, state });
    }
    if (changes.length > 0) await tell(changes);
    if (undo.length > 0) await this.#keyspace.batch(undo, { atomic: false });
  }

  /**
   * Writes what has changed, and has it told in between. Where it is cut short, `load` finds out, and everything is as it
   * was before.
   */
  async write({ people, changes, records }: Effects, tell: Tell): Promise<void> {
    if (records.length === 0) return;
    if (people.length > 0) {
      const begun = records.map(({ id, record, before = NOBODY }) =>
        this.#keep(id, { ...before, next: record?.account ?? '' }),
      );
      await this.#keyspace.batch(begun, { atomic: false });
      await this.#remember(people.filter(({ turn }) => turn === 'goes'));
      await this.#succeed(people.filter(({ turn }) => turn === 'enters'));
      await this.#write(people);
      await tell(changes);
    }
    await this.#keyspace.batch(
      records.map(({ id, record }) => this.#keep(id, record)),
      { atomic: false },
    );
  }

  /** Whose these addresses are. */
  async #remember(people: Effects['people']): Promise<void> {
    if (people.length === 0) return;
    const set = people.map(({ id, account }): Command => ['set', this.#formerKey(account), id, { px: FORMER_MS }]);
    await this.#keyspace.batch(set, { atomic: false });
  }

  /** Those who have had another owner. */
  async #succeed(people: Effects['people']): Promise<void> {
    if (people.length === 0) return;
    const get = people.map(({ account }) => ['get', this.#formerKey(account)] as const);
    const formers = await this.#keyspace.batch(get, { atomic: false });
    for (const [index, person] of people.entries()) {
      const { id, account } = person;
      const former = formers[index]?.toString();
      if (former === undefined || former === id) continue;
      await this.#onSuccessor(account, former, id);
      await this.#remember([person]); // that is done
    }
  }

  #formerKey(account: string): string {
    return personFormerKeys.key(account, this.#directory);
  }

  #keep(id: string, record: IdRecord | undefined): Command {
    const key = personIdKey(this.#directory, id);
    return record === undefined ? ['hdel', key, id] : ['hset', key, [[id, writeIdRecord(record)]]];
  }

  async #write(people: Effects['people']): Promise<void> {
    const changed = String(Date.now());
    const written = people.map(({ id, account, record }) => {
      const keys = [this.#key(account)];
      if (record === undefined) return this.#keyspace.call(removePerson, keys, [this.#epoch, id]);
      const fields = ['id', id, 'dn', record.dn, 'state', JSON.stringify(record.state), 'changed', changed];
      return this.#keyspace.call(putPerson, keys, [this.#epoch, ...fields]);
    });
    if ((await Promise.all(written)).includes(false)) throw new LeaseLost();
  }

  #key(account: string): string {
    return personKeys.key(account, this.#directory);
  }
}
