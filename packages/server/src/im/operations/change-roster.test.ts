import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import { changeRoster, HEAD, readHead } from './change-roster.ts';

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

let count = 0;

/** A roster that nobody used yet; what is not given to `change` is what leaves all as it is. */
class Fresh {
  readonly #keyspace: Keyspace;
  readonly roster = `roster:{p1}:test-${process.pid}-${++count}`;
  readonly requests = `requests:{p1}:test-${process.pid}-${count}`;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  change(options: {
    contact?: string;
    version?: number;
    waits?: boolean;
    item?: string;
    request?: string;
    maxItems?: number;
    maxRequests?: number;
  }) {
    const { contact = 'a@x', version = '', waits = false, item = '', request = '' } = options;
    const { maxItems = Number.MAX_SAFE_INTEGER, maxRequests = Number.MAX_SAFE_INTEGER } = options;
    const args = [contact, version, waits ? 1 : 0, item, request, maxItems, maxRequests];
    return this.#keyspace.call(changeRoster, [this.roster, this.requests], args);
  }

  async kept(contact = 'a@x') {
    const value = await this.#keyspace.hget(this.roster, contact);
    return value?.toString().split('\0');
  }

  async head() {
    return readHead(await this.#keyspace.hget(this.roster, HEAD));
  }

  async request(contact = 'a@x') {
    return (await this.#keyspace.hget(this.requests, contact))?.toString();
  }
}

describe.each(['embedded', 'redis'])('on %s', (kind) => {
  let keyspace: Keyspace;
  beforeAll(async () => {
    ({ keyspace } = await openKeyspace(kind === 'redis' ? redis.url : 'embedded::memory:'));
  });
  afterAll(() => keyspace.close());

  it('sets, changes and removes an item, each with a version of its own', async () => {
    const fresh = new Fresh(keyspace);
    const before = await keyspace.now();
    const set = await fresh.change({ item: 'n\0Nurse\0Household' });
    expect(set.outcome).toBe('done');
    expect(set.version).toBeGreaterThanOrEqual(before);
    expect(await fresh.kept()).toEqual([String(set.version), 'n', 'Nurse', 'Household']);
    expect(await fresh.head()).toEqual([set.version, 0]);

    const changed = await fresh.change({ version: set.version, item: 'b\0' });
    expect(changed.version).toBeGreaterThan(set.version);
    expect(await fresh.kept()).toEqual([String(changed.version), 'b', '']);

    const removed = await fresh.change({ version: changed.version, item: '-' });
    expect(removed.version).toBeGreaterThan(changed.version);
    expect(await fresh.kept()).toBeUndefined();
    expect(await fresh.head()).toEqual([removed.version, removed.version]);
  });

  it('makes greater versions even where the clock stands still or goes back', async () => {
    const fresh = new Fresh(keyspace);
    const future = (await keyspace.now()) + 3_600_000;
    await keyspace.hset(fresh.roster, [[HEAD, `${future} 17`]]);
    expect(await fresh.change({ item: 'n\0' })).toEqual({ outcome: 'done', version: future + 1 });
    expect(await fresh.change({ contact: 'b@x', item: 'n\0' })).toEqual({ outcome: 'done', version: future + 2 });
    expect(await fresh.head()).toEqual([future + 2, 17]);
  });

  it('keeps and drops a request without a new version', async () => {
    const fresh = new Fresh(keyspace);
    const { version } = await fresh.change({ contact: 'b@x', item: 'n\0' });
    expect(await fresh.change({ request: '<presence/>' })).toEqual({ outcome: 'done', version });
    expect(await fresh.request()).toBe('<presence/>');
    expect(await fresh.change({ waits: true, request: '-' })).toEqual({ outcome: 'done', version });
    expect(await fresh.request()).toBeUndefined();
  });

  it('does both at once', async () => {
    const fresh = new Fresh(keyspace);
    await fresh.change({ request: '<presence/>' });
    expect((await fresh.change({ waits: true, item: 'f\0', request: '-' })).outcome).toBe('done');
    expect(await fresh.request()).toBeUndefined();
    expect((await fresh.kept())?.[1]).toBe('f');
  });

  it('changes nothing where the contact is not what the caller knew', async () => {
    const fresh = new Fresh(keyspace);
    const stale = { outcome: 'stale', version: 0 };
    const { version } = await fresh.change({ item: 'n\0' });
    await fresh.change({ version, request: '<presence/>' });
    expect(await fresh.change({ waits: true, item: 'b\0', request: '-' })).toEqual(stale);
    expect(await fresh.change({ version: version - 1, waits: true, item: 'b\0' })).toEqual(stale);
    expect(await fresh.change({ version, waits: false, item: 'b\0' })).toEqual(stale);
    expect(await fresh.change({ contact: 'b@x', version, item: 'b\0' })).toEqual(stale);
    expect(await fresh.change({ contact: 'b@x', waits: true, request: '-' })).toEqual(stale);
    expect(await fresh.kept()).toEqual([String(version), 'n', '']);
    expect(await fresh.request()).toBe('<presence/>');
  });

  it('takes no more items and requests than there may be', async () => {
    const fresh = new Fresh(keyspace);
    const { version } = await fresh.change({ item: 'n\0', maxItems: 1 });
    expect((await fresh.change({ contact: 'b@x', item: 'n\0', maxItems: 1 })).outcome).toBe('items');
    expect((await fresh.change({ version, item: 'b\0', maxItems: 1 })).outcome).toBe('done');
    expect((await fresh.change({ contact: 'b@x', item: 'n\0', maxItems: 2 })).outcome).toBe('done');

    await fresh.change({ contact: 'c@x', request: '<presence/>', maxRequests: 1 });
    const further = { contact: 'd@x', request: '<presence/>', maxRequests: 1 };
    expect((await fresh.change(further)).outcome).toBe('requests');
    expect(await fresh.request('d@x')).toBeUndefined();
    expect((await fresh.change({ contact: 'c@x', waits: true, request: '<new/>', maxRequests: 1 })).outcome).toBe(
      'done',
    );
    expect(await fresh.request('c@x')).toBe('<new/>');
  });
});
