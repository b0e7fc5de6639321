import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import snmp from 'net-snmp';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { stockUser, type UserSettings } from './access.ts';
import { Agent, type Refusal } from './agent.ts';
import { statisticsCells } from './statistics.ts';
import { counter64, text } from './value.ts';
import { readCell, View } from './view.ts';

const OBJECT = '1.3.6.1.4.1.32473.1';
const user: UserSettings = {
  name: 'manager',
  authentication: { protocol: 'SHA-256', password: 'a password' },
  privacy: { protocol: 'AES', password: 'another one' },
  subtrees: [[1, 3, 6, 1, 4, 1, 32473]],
};
const WORD = 'a word that is long';
/** Of what 3,000 datagrams leave behind in this process, the tests' own things among it. */
const MOST_GROWTH = 1_000_000;

let agent: Agent;
let refused: Refusal[];
let faults: unknown[];

async function start(boots = 1, more: object = {}): Promise<Agent> {
  const view = new View();
  view.replace([
    { oid: [1, 3, 6, 1, 2, 1, 1, 1, 0], value: text('seen by a community') },
    { oid: [1, 3, 6, 1, 4, 1, 32473, 1], value: text('here') },
    { oid: [1, 3, 6, 1, 4, 1, 32473, 2], value: counter64(2 ** 33) },
  ]);
  return await Agent.start({
    address: '127.0.0.1',
    port: 0,
    view,
    engineId: Buffer.from('80007ed905010203', 'hex'),
    engineBoots: boots,
    users: [user],
    communities: [{ community: WORD, sources: ['127.0.0.0/8'], subtrees: [[1, 3, 6, 1, 2, 1]] }],
    perSecond: 1_000_000,
    onRefused: (cause) => refused.push(cause),
    onFault: (error) => faults.push(error),
    ...more,
  });
}

beforeEach(async () => {
  refused = [];
  faults = [];
  agent = await start();
});
afterEach(() => agent[Symbol.asyncDispose]());

function get(session: snmp.Session, oid = OBJECT): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  session.get([oid], (error: Error | null, varbinds: snmp.Varbind[] | undefined) => {
    session.close();
    resolve(error ? error.message : String(varbinds?.[0]?.value ?? ''));
  });
  return promise;
}

const options = (timeout = 60_000) => ({ port: agent.port, retries: 0, timeout });
const v3 = (settings: Partial<UserSettings> = {}, timeout?: number) =>
  snmp.createV3Session('127.0.0.1', stockUser({ ...user, ...settings }), {
    ...options(timeout),
    version: snmp.Version3,
  });
const v2c = (word: string, timeout?: number) =>
  snmp.createSession('127.0.0.1', word, { ...options(timeout), version: snmp.Version2c });

/** Milliseconds to wait for an answer that does not come. */
const NONE = 300;

/** Resolves when the agent has refused something for this. */
const isRefused = (cause: Refusal) => vi.waitFor(() => expect(refused).toContain(cause), { interval: 5 });

/** What a user has sent: the question which engine this is, and one that is encrypted. */
async function recorded(): Promise<Buffer[]> {
  const datagrams: Buffer[] = [];
  const between = createSocket('udp4');
  let asker = 0;
  between.on('message', (datagram, from) => {
    if (from.port === agent.port) between.send(datagram, asker, '127.0.0.1');
    else {
      datagrams.push(datagram);
      asker = from.port;
      between.send(datagram, agent.port, '127.0.0.1');
    }
  });
  between.bind(0, '127.0.0.1');
  await once(between, 'listening');
  const through = { ...options(), port: between.address().port, version: snmp.Version3 };
  expect(await get(snmp.createV3Session('127.0.0.1', stockUser(user), through))).toBe('here');
  between.close();
  return datagrams;
}

/** Bytes in use when all that can be let go of is. */
function heap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('an agent', () => {
  it('answers whoever proves to be a user', async () => {
    expect(await get(v3())).toBe('here');
    expect(refused).not.toContain('authentication');
    const wrong = { authentication: { protocol: 'SHA-256', password: 'not the password' } } as const;
    expect(await get(v3(wrong, NONE))).toMatch(/timed out/);
    await isRefused('authentication');
    expect(await get(v3({ name: 'nobody' }))).toMatch(/Unknown User/i);
    expect(refused).toContain('user');
  });

  it('shows each what they may see', async () => {
    expect(await get(v2c(WORD), '1.3.6.1.2.1.1.1.0')).toBe('seen by a community');
    expect(await get(v2c(WORD))).toBe('');
    expect(await get(v3(), '1.3.6.1.2.1.1.1.0')).toBe('');
    expect(await get(v2c('public', NONE), '1.3.6.1.2.1.1.1.0')).toMatch(/timed out/);
    await isRefused('community');
  });

  it('takes nothing from elsewhere', async () => {
    await agent[Symbol.asyncDispose]();
    agent = await start(1, { communities: [{ community: WORD, sources: ['192.0.2.0/24'], subtrees: [[1]] }] });
    expect(await get(v2c(WORD, NONE), '1.3.6.1.2.1.1.1.0')).toMatch(/timed out/);
    await isRefused('community');
  });

  it('answers no message that was recorded before it started once more (RFC 3414 §3.2)', async () => {
    const recorded: Buffer[] = [];
    const between = createSocket('udp4');
    between.on('message', (datagram, from) => {
      if (from.port === agent.port) between.send(datagram, asker);
      else {
        recorded.push(datagram);
        asker = from.port;
        between.send(datagram, agent.port, '127.0.0.1');
      }
    });
    let asker = 0;
    between.bind(0, '127.0.0.1');
    await once(between, 'listening');
    const session = snmp.createV3Session('127.0.0.1', stockUser(user), {
      ...options(),
      port: between.address().port,
      version: snmp.Version3,
    });
    expect(await get(session)).toBe('here');
    await agent[Symbol.asyncDispose]();
    agent = await start(2);
    refused = [];
    between.removeAllListeners('message');
    between.send(recorded.at(-1) as Buffer, agent.port, '127.0.0.1');
    const [report] = (await once(between, 'message')) as [Buffer];
    expect(report.includes('here')).toBe(false);
    expect(refused).toEqual(['time']);
    between.close();
  });

  it.each([
    ['answers a message again within the time window', 149_000, 0],
    ['answers no message that was recorded before the time window (RFC 3414 §3.2 7a)', 152_000, 1],
  ])('%s', async (_, laterMs, refusals) => {
    const now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(now);
    onTestFinished(() => void vi.restoreAllMocks());
    const datagram = (await recorded()).at(-1) as Buffer;
    refused = [];
    const raw = createSocket('udp4');
    onTestFinished(() => void raw.close());
    clock.mockReturnValue(now + laterMs);
    raw.send(datagram, agent.port, '127.0.0.1');
    await once(raw, 'message');
    expect(refused).toEqual(Array(refusals).fill('time'));
  });

  it('counts what it does not take, as everybody counts it (RFC 3418, RFC 3414)', async () => {
    const value = (group: string) => {
      const cell = statisticsCells(() => agent.statistics).find(({ oid }) => oid.join('.') === group);
      return cell && readCell(cell).value;
    };
    const [SNMP, USM] = ['1.3.6.1.2.1.11', '1.3.6.1.6.3.15.1.1'];
    const raw = createSocket('udp4');
    const send = (octets: string) =>
      new Promise((sent) => raw.send(Buffer.from(octets, 'hex'), agent.port, '127.0.0.1', sent));
    expect(await get(v3())).toBe('here');
    expect(value(`${USM}.4.0`)).toBe(1); // discovery (RFC 3414 §4)
    await send('3003020104');
    await send('3003020101');
    expect(await get(v2c('public', NONE))).toMatch(/timed out/);
    expect(await get(v3({ name: 'nobody' }))).toMatch(/Unknown User/i);
    const digest = { authentication: { protocol: 'SHA-256', password: 'not the password' } } as const;
    expect(await get(v3(digest, NONE))).toMatch(/timed out/);
    await isRefused('authentication');
    const key = { privacy: { protocol: 'AES', password: 'not the other one' } } as const;
    expect(await get(v3(key, NONE))).toMatch(/timed out/);
    await isRefused('decryption');
    const session = snmp.createV3Session(
      '127.0.0.1',
      { name: user.name, level: snmp.SecurityLevel.noAuthNoPriv } as snmp.User,
      { ...options(), version: snmp.Version3 },
    );
    expect(await get(session)).toMatch(/unsupported security level/i);
    const setting = v2c(WORD);
    const object = { oid: '1.3.6.1.2.1.1.1.0', type: snmp.ObjectType.OctetString, value: 'x' };
    await new Promise((done) => setting.set([object], done));
    setting.close();
    raw.close();
    const snmpGroup = [3, 4, 5, 6, 31, 32].map((place) => value(`${SNMP}.${place}.0`));
    expect(snmpGroup).toEqual([1, 1, 1, 1, 0, 0]);
    expect([1, 2, 3, 5, 6].map((place) => value(`${USM}.${place}.0`))).toEqual([1, expect.any(Number), 1, 1, 1]);
    expect(Number(value(`${SNMP}.1.0`))).toBeGreaterThan(8);
    expect(value('1.3.6.1.6.3.10.2.1.2.0')).toBe(1);
    expect(value('1.3.6.1.6.3.10.2.1.1.0')).toEqual(Buffer.from('80007ed905010203', 'hex'));
  });

  it('makes no key for an engine that somebody invents', async () => {
    const session = snmp.createV3Session('127.0.0.1', stockUser(user), { ...options(NONE), version: snmp.Version3 });
    (session as unknown as { msgSecurityParameters: object }).msgSecurityParameters = {
      msgAuthoritativeEngineID: Buffer.from('80007ed905999999', 'hex'),
      msgAuthoritativeEngineBoots: 1,
      msgAuthoritativeEngineTime: 1,
    };
    expect(await get(session)).toMatch(/timed out/);
    await isRefused('engine');
    expect(refused).toEqual(['engine']);
  });

  it('stands whatever comes', async () => {
    const socket = createSocket('udp4');
    const samples: Buffer[] = [
      Buffer.from('302902010104067075626c6963a01c02044b2c1f0e020100020100300e300c06082b060102010101000500', 'hex'),
    ];
    const word = Buffer.concat([Buffer.from([0x30, 0x36, 2, 1, 1, 4, WORD.length]), Buffer.from(WORD)]);
    samples.push(Buffer.concat([word, samples[0]?.subarray(13) as Buffer]));
    samples.push(...(await recorded()));
    const damaged = fc.tuple(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.option(fc.nat(), { freq: 5, nil: undefined }),
    );
    const sendSome = async (count: number) => {
      for (const [sample, changes, cut] of fc.sample(damaged, count)) {
        const datagram = Buffer.from(sample);
        for (const [at, octet] of changes) datagram[at % datagram.length] = octet;
        const end = cut === undefined ? datagram.length : cut % datagram.length;
        await new Promise((resolve) => socket.send(datagram.subarray(0, end), agent.port, '127.0.0.1', resolve));
        await new Promise((resolve) => setImmediate(resolve)); // no more than the socket has room for
      }
    };
    await sendSome(1000);
    const before = heap();
    await sendSome(3000);
    expect(heap() - before).toBeLessThan(MOST_GROWTH);
    socket.close();
    expect(await get(v3())).toBe('here');
    expect(faults).toEqual([]);
    expect(refused.length).toBeGreaterThan(1000);
    expect(refused).toEqual(expect.arrayContaining(['garbage', 'community', 'user', 'engine', 'authentication']));
  });
});
