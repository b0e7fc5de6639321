import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { freePort, OwnRedis } from '@parley/keyspace/testing/own-redis';
import { Jid } from '@parley/xmpp/jid';
import { deriveScramVerifier, formatScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import { describe, expect, it, vi } from 'vitest';
import { belongings, movesOn, rostersOn } from '../../../../tests/support/account-moves.ts';
import { AccountStore, accountKeys } from '../auth/account-store.ts';
import { arrivingKeys, moverKeys, movingKeys } from '../auth/moves/move-keys.ts';
import { type RosterWish, requestKeys, rosterKeys } from './roster-store.ts';

const jid = (text: string) => Jid.parse(text);
const OLD = jid('juliet@capulet.lit');
const NEW = jid('juliet@montague.lit');
const LOCAL = ['capulet.lit', 'montague.lit'];
const PEOPLE = ['romeo@montague.lit', 'nurse@capulet.lit', 'paris@capulet.lit', 'friar@capulet.lit'];

const verifier = await deriveScramVerifier('wherefore', 'SHA-256', { iterations: 4096 });
const keysOf = (name: string) => belongings.find(({ keys }) => keys.name === name)?.keys ?? never(name);
const never = (name: string): never => {
  throw new Error(`There are no ${name} keys.`);
};

const item = (subscription: 'none' | 'to' | 'from' | 'both', more: object = {}): RosterWish => ({
  item: { subscription, ask: false, approved: false, name: undefined, groups: [], ...more },
});
const request = (from: string, to: string) => `<presence to='${to}' from='${from}' type='subscribe'/>`;

/** Juliet, with something of everything, and those who know her. */
async function fill(keyspace: Keyspace): Promise<void> {
  await new AccountStore(keyspace).create(OLD, [verifier]);
  const rosters = rostersOn(keyspace);
  const [romeo, nurse, paris, friar] = PEOPLE as [string, string, string, string];
  const rows: [string, string, RosterWish][] = [
    [OLD.bareText, romeo, item('both', { name: 'Romeo', groups: ['Lovers', 'Verona'] })],
    [OLD.bareText, nurse, item('to')],
    [OLD.bareText, friar, item('none', { ask: true })],
    [OLD.bareText, 'tybalt@remote.lit', item('both', { name: 'Tybalt' })],
    [OLD.bareText, 'escalus@remote.lit', item('from')],
    [OLD.bareText, paris, { request: request(paris, OLD.bareText) }],
    [OLD.bareText, 'stranger@remote.lit', { request: request('stranger@remote.lit', OLD.bareText) }],
    [romeo, OLD.bareText, item('both', { name: 'My lady', groups: ['Sun'] })],
    [nurse, OLD.bareText, item('from')],
    // she has the new address, too
    [nurse, NEW.bareText, item('to', { groups: ['Family'] })],
    [paris, OLD.bareText, item('none', { ask: true })],
    [friar, OLD.bareText, { request: request(OLD.bareText, friar) }],
    [friar, romeo, item('both')],
    [NEW.bareText, nurse, item('from', { name: 'Nanny' })],
  ];
  for (const [account, contact, wish] of rows) await rosters.change(jid(account), jid(contact), () => wish);
  const { bareText } = OLD;
  await keyspace.set(keysOf('vcard').key(bareText), '<vCard xmlns="vcard-temp"/>');
  await keyspace.set(keysOf('last-activity').key(bareText), '1000 gone');
  await keyspace.hset(keysOf('private').key(bareText), [
    ['urn:a', '<a xmlns="urn:a"/>'],
    ['urn:b', '<b xmlns="urn:b"/>'],
  ]);
  await keyspace.hset(keysOf('blocklist').key(bareText), [['rosaline@capulet.lit', '']]);
  for (let i = 0; i < 3; i++) {
    const message = `<message to='${bareText}/balcony' from='${romeo}'><body>${i}</body></message>`;
    await keyspace.rpush(keysOf('offline').key(bareText), i === 0 ? message : `0123456789abcdef ${i} ${message}`);
  }
}

/** Everything that is kept of an account, in a form that is the same each time. */
async function kept(keyspace: Keyspace, account: string): Promise<object> {
  const found: Record<string, unknown> = {};
  const text = (value: Buffer) =>
    value
      .toString()
      .replace(/^\d{10,}\0/, '')
      .replaceAll('\0', '|');
  for (const keys of [accountKeys, arrivingKeys, rosterKeys, requestKeys, ...belongings.map((each) => each.keys)]) {
    const key = keys.key(account);
    const value =
      keys.type === 'hash'
        ? [...(await keyspace.hgetall(key))]
            .filter(([field]) => !['#', 'created', 'mark', 'SHA-256'].includes(field))
            .map(([field, each]) => `${field}: ${text(each)}`)
            .sort()
        : keys.type === 'list'
          ? (await keyspace.lrange(key, 0, -1)).map(text)
          : ((await keyspace.get(key))?.toString() ?? []);
    if (value.length > 0) found[keys.name] = value;
  }
  const state = await keyspace.hgetall(`offline-state:${/\{p\d+\}/.exec(accountKeys.key(account))?.[0]}:${account}`);
  if (state.size > 0) found.offlineBytes = String(state.get('bytes'));
  const set = [...belongings.map(({ keys }) => keys.name), 'account', '#'].map((name) => movingKeys.key(account, name));
  for (const key of set) expect(await keyspace.del(key)).toBe(0); // nothing is left behind
  return found;
}

async function everything(keyspace: Keyspace): Promise<object> {
  const accounts: [string, object][] = [];
  for (const account of [OLD.bareText, NEW.bareText, ...PEOPLE])
    accounts.push([account, await kept(keyspace, account)]);
  return Object.fromEntries(accounts);
}

class Crash extends Error {}

/** Lets so many commands through; the one after that is the last, executed or not, and its answer never comes. */
function crashing(keyspace: Keyspace, after: number, executed: boolean): Keyspace & { left: number } {
  let left = after;
  const proxy = new Proxy(keyspace, {
    get(target, name) {
      if (name === 'left') return left;
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        if (left-- > 0) return value.apply(target, args);
        if (executed && left === -1) await value.apply(target, args);
        throw new Crash();
      };
    },
  });
  return proxy as Keyspace & { left: number };
}

async function move(keyspace: Keyspace): Promise<string[]> {
  const { all, moves, accounts, routed } = movesOn(keyspace, { domains: LOCAL });
  if ((await accounts.find(OLD)) !== undefined || (await moves.records()).length > 0) {
    await all.begin(OLD, NEW);
  }
  await all.run();
  return routed;
}

/** One that has all slots and takes no command with keys of two of them. */
async function redisCluster(): Promise<string> {
  const address = ['--cluster-announce-ip', '127.0.0.1', '--cluster-port', String(await freePort())];
  const own = await OwnRedis.start(['--cluster-enabled', 'yes', ...address]);
  expect(await own.ask('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')).toBe('+OK');
  const state = () => own.askAll('CLUSTER', 'INFO');
  await vi.waitFor(async () => expect(await state()).toContain('cluster_state:ok'), { interval: 50 });
  return `redis+cluster://127.0.0.1:${own.port}`;
}

describe.each(['embedded', 'a Redis Cluster'])('on %s', (kind) => {
  const fresh = async (): Promise<Keyspace> => {
    const url = kind === 'embedded' ? 'embedded::memory:' : await redisCluster();
    return (await openKeyspace(url)).keyspace;
  };

  it('moves everything, and both sides of every subscription', async () => {
    await using keyspace = await fresh();
    await fill(keyspace);
    const routed = await move(keyspace);
    const message = (body: number) =>
      `<message to='${NEW}/balcony' from='romeo@montague.lit'><body>${body}</body></message>`;
    expect(await everything(keyspace)).toEqual({
      [OLD.bareText]: {},
      [NEW.bareText]: {
        account: ['disabled: 0'],
        roster: [
          'escalus@remote.lit: n+|', // has to ask anew, and need not be approved again
          'friar@capulet.lit: n?|',
          'nurse@capulet.lit: b|Nanny',
          'romeo@montague.lit: b|Romeo|Lovers|Verona',
          'tybalt@remote.lit: n?+|Tybalt',
        ],
        'subscription-requests': [`paris@capulet.lit: ${request('paris@capulet.lit', NEW.bareText)}`],
        vcard: '<vCard xmlns="vcard-temp"/>',
        private: ['urn:a: <a xmlns="urn:a"/>', 'urn:b: <b xmlns="urn:b"/>'],
        blocklist: ['rosaline@capulet.lit: '],
        'last-activity': '1000 gone',
        offline: [message(0), `0123456789abcdef 1 ${message(1)}`, `0123456789abcdef 2 ${message(2)}`],
        offlineBytes: String(3 * message(0).length + 2 * 19),
      },
      'romeo@montague.lit': { roster: ['juliet@montague.lit: b|My lady|Sun'] },
      'nurse@capulet.lit': { roster: ['juliet@montague.lit: b||Family'] },
      'paris@capulet.lit': { roster: ['juliet@montague.lit: n?|'] },
      'friar@capulet.lit': {
        roster: ['romeo@montague.lit: b|'],
        'subscription-requests': [`${NEW}: ${request(NEW.bareText, 'friar@capulet.lit')}`],
      },
    });
    const kept = await new AccountStore(keyspace).find(NEW);
    expect(kept?.verifiers.get('SHA-256')).toBe(formatScramVerifier(verifier));
    expect(routed.sort()).toEqual([
      `${OLD} unsubscribe tybalt@remote.lit`,
      `${OLD} unsubscribed escalus@remote.lit`,
      `${OLD} unsubscribed stranger@remote.lit`,
      `${OLD} unsubscribed tybalt@remote.lit`,
      `${NEW} subscribe tybalt@remote.lit`,
    ]);
    const listed: string[] = [];
    for (const domain of LOCAL) {
      for await (const page of new AccountStore(keyspace).list(domain)) listed.push(...page.map(String));
    }
    expect(listed).toEqual([NEW.bareText]);
  });

  it('comes to the same end wherever it was cut short', async () => {
    await using keyspace = await fresh();
    const clear = async () => {
      for (const account of [OLD.bareText, NEW.bareText, ...PEOPLE]) {
        await new AccountStore(keyspace, [...belongings.map(({ keys }) => keys), arrivingKeys]).remove(jid(account));
        await keyspace.del(`offline-state:${/\{p\d+\}/.exec(accountKeys.key(account))?.[0]}:${account}`);
      }
    };
    await fill(keyspace);
    await move(keyspace);
    const expected = await everything(keyspace);
    let points = 0;
    for (const executed of [false, true]) {
      for (let after = 0; ; after++) {
        await clear();
        await fill(keyspace);
        const broken = crashing(keyspace, after, executed);
        const outcome = await move(broken).catch((error) => error);
        if (broken.left >= 0) break;
        expect(outcome).toBeInstanceOf(Crash);
        await keyspace.del(moverKeys.key()); // its time is up
        await move(keyspace);
        expect(await everything(keyspace), `after ${after} commands${executed ? ' and one more' : ''}`).toEqual(
          expected,
        );
        points++;
      }
    }
    expect(points).toBeGreaterThan(100);
  });
});
