import {
  deriveScramVerifier,
  formatScramVerifier,
  type ScramHash,
  scramHashes,
} from '@parley/xmpp/sasl/scram-verifier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { personDn, personEntry } from '../services/slapd-files.ts';
import {
  answer,
  base64,
  conditionOf,
  features,
  mechanismsOf,
  type ScramAttempt,
  scram,
  sendAuth,
} from '../support/login.ts';
import type { MemoryTransport } from '../support/memory-transport.ts';
import type { TestServer } from '../support/server.ts';
import { login, startDirectoryServer, stranger } from './server.ts';

let slapd: Slapd;

beforeAll(async () => {
  // somebody whose password is an old one
  const friar = `${personEntry('friar', 'Laurence').trimEnd()}\npwdChangedTime: 20200101000000Z\n\n`;
  slapd = await Slapd.startLasting({ ldif: friar });
});
afterAll(() => slapd.end());

const exported = Buffer.from('what this very connection exports');
const bound = (transport: MemoryTransport) => void transport.bindings.set('tls-exporter', exported);
const plus = { plus: true, header: 'p=tls-exporter,,', bindingData: exported } as const;

const start = (kind: 'learn' | 'verifiers' | 'relay') =>
  startDirectoryServer(slapd, { directory: { passwords: { scram: kind } } });

/** What a login by SCRAM comes to. */
async function proof(server: TestServer, username: string, password: string, more: Partial<ScramAttempt> = {}) {
  const client = stranger(server, more.plus ? bound : undefined);
  return conditionOf(await scram(client, { username, password, hash: 'SHA-256', ...more }));
}

const lock = (uid: string) => slapd.modify(personDn(uid), { pwdAccountLockedTime: ['000001010000Z'] });
const unlock = (uid: string) => slapd.modify(personDn(uid), { pwdAccountLockedTime: [] });

/** The parts of a challenge for somebody: what follows the client's nonce, and all else. */
async function challenge(server: TestServer, username: string, hash: ScramHash = 'SHA-256') {
  const client = stranger(server);
  sendAuth(client, `SCRAM-${hash}`, base64(`n,,n=${username},r=mine`));
  const said = await answer(client);
  const text = Buffer.from(said.text, 'base64').toString();
  const parts = new Map(text.split(',').map((part) => [part[0] ?? '', part.slice(2)]));
  return { name: said.name, nonce: parts.get('r')?.slice(4) ?? '', salt: parts.get('s') ?? '', parts };
}

/** Somebody unknown is challenged as somebody known is. */
async function expectAlike(server: TestServer, known: string): Promise<void> {
  for (const hash of scramHashes) {
    const one = await challenge(server, known, hash);
    const other = await challenge(server, 'rosaline', hash);
    expect(other.name).toBe('challenge');
    expect([...other.parts.keys()]).toEqual([...one.parts.keys()]);
    expect(other.parts.get('i')).toBe(one.parts.get('i'));
    expect(other.salt.length).toBe(one.salt.length);
    expect(other.nonce.length).toBe(one.nonce.length);
    const again = await challenge(server, 'rosaline', hash);
    expect(again.salt).toBe(other.salt);
    expect(again.nonce).not.toBe(other.nonce);
    expect((await challenge(server, 'tybalt-the-second', hash)).salt).not.toBe(other.salt);
  }
}

describe('with what was learnt at a login by PLAIN', () => {
  test('SCRAM works from the second login on, in every form', async () => {
    const server = await start('learn');
    expect(await proof(server, 'romeo', 'pw-romeo')).toBe('not-authorized');
    const { salt, parts } = await challenge(server, 'romeo');
    expect(parts.has('h')).toBe(true); // XEP-0474
    expect((await login(server, 'romeo', 'pw-romeo'))[0]).toBe('success');
    expect((await challenge(server, 'romeo')).salt).toBe(salt); // nobody sees that there is something to know by now
    for (const hash of scramHashes) {
      expect(await proof(server, 'romeo', 'pw-romeo', { hash })).toBe('success');
      expect(await proof(server, 'romeo', 'pw-romeo', { hash, ...plus })).toBe('success');
      expect(await proof(server, 'romeo', 'wrong', { hash })).toBe('not-authorized');
    }
    expect(await proof(server, 'juliet', 'pw-romeo')).toBe('not-authorized');
    await expectAlike(server, 'romeo');
  });

  test('a password that was changed in the directory is the only one that is good', async () => {
    const server = await start('learn');
    await login(server, 'mercutio', 'pw-mercutio');
    await slapd.modify(personDn('mercutio'), { userPassword: ['a-plague'] });
    expect(await proof(server, 'mercutio', 'pw-mercutio')).toBe('not-authorized');
    expect(await proof(server, 'mercutio', 'a-plague')).toBe('not-authorized');
    expect((await login(server, 'mercutio', 'a-plague'))[0]).toBe('success');
    expect(await proof(server, 'mercutio', 'a-plague')).toBe('success');
    expect(await proof(server, 'mercutio', 'pw-mercutio')).toBe('not-authorized');
  });

  test('somebody locked is told so by SCRAM and by PLAIN, as soon as the password is right', async () => {
    const server = await start('learn');
    await login(server, 'friar', 'pw-friar');
    await lock('friar');
    expect(await proof(server, 'friar', 'pw-friar')).toBe('account-disabled');
    expect((await login(server, 'friar', 'pw-friar'))[0]).toBe('account-disabled');
    expect(await proof(server, 'friar', 'wrong')).toBe('not-authorized');
    expect((await login(server, 'friar', 'wrong'))[0]).toBe('not-authorized');
    await unlock('friar');
    await slapd.modify(personDn('friar'), { description: ['of the order of Saint Francis'] });
    expect(await proof(server, 'friar', 'pw-friar')).toBe('success'); // what else has changed is of no matter
  });
});

describe('with verifiers that the directory has', () => {
  beforeAll(async () => {
    const verifiers = await Promise.all(
      scramHashes.map((hash) =>
        deriveScramVerifier('pw-juliet', hash, { iterations: 5000, salt: Buffer.alloc(12, 7) }),
      ),
    );
    const [first = '', ...others] = verifiers.map(formatScramVerifier);
    // RFC 3112 allows for spaces
    await slapd.modify(personDn('juliet'), { authPassword: [first.replaceAll('$', ' $ '), ...others, 'MD5$a$b'] });
  });

  test('SCRAM works at once, in every form', async () => {
    const server = await start('verifiers');
    const offered = stranger(server, bound);
    expect(mechanismsOf(await features(offered))).toContain('SCRAM-SHA-512-PLUS');
    for (const hash of scramHashes) {
      expect(await proof(server, 'juliet', 'pw-juliet', { hash })).toBe('success');
      expect(await proof(server, 'juliet', 'pw-juliet', { hash, ...plus })).toBe('success');
      expect(await proof(server, 'juliet', 'wrong', { hash })).toBe('not-authorized');
    }
    expect(await proof(server, 'romeo', 'pw-romeo')).toBe('not-authorized'); // who has none
    await expectAlike(server, 'juliet');
  });

  test('a node that has seen nobody yet challenges somebody unknown as all others', async () => {
    const server = await start('verifiers');
    for (const uid of ['rosaline', 'romeo']) {
      const { parts, salt } = await challenge(server, uid); // neither has one
      expect([parts.get('i'), Buffer.from(salt, 'base64')]).toEqual(['5000', expect.objectContaining({ length: 12 })]);
    }
  });

  test('the policy holds, around which the verifiers go', async () => {
    const server = await start('verifiers');
    await lock('juliet');
    expect(await proof(server, 'juliet', 'pw-juliet')).toBe('account-disabled');
    expect(await proof(server, 'juliet', 'wrong')).toBe('not-authorized');
    await unlock('juliet');
    await slapd.modify(personDn('juliet'), { pwdReset: ['TRUE'] });
    expect(await proof(server, 'juliet', 'pw-juliet')).toBe('credentials-expired');
    await slapd.modify(personDn('juliet'), { pwdReset: [] });
    expect(await proof(server, 'juliet', 'pw-juliet')).toBe('success');
  });
});

describe('as the directory speaks it', () => {
  test('SCRAM works at once, without channel binding', async () => {
    const server = await start('relay');
    const offered = mechanismsOf(await features(stranger(server, bound)));
    expect(offered).toEqual(['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']);
    for (const hash of scramHashes) {
      expect(await proof(server, 'tybalt', 'pw-tybalt', { hash })).toBe('success');
      expect(await proof(server, 'tybalt', 'wrong', { hash })).toBe('not-authorized');
    }
    expect(await proof(server, 'rosaline', 'wrong')).toBe('not-authorized');
    expect(await proof(server, 'tybalt', 'pw-tybalt', plus)).toBe('invalid-mechanism');
    expect((await challenge(server, 'tybalt')).parts.has('h')).toBe(false); // the directory says what it says
    await expectAlike(server, 'tybalt');
  });

  test('what was tampered with proves nothing', async () => {
    const server = await start('relay');
    const tamper = (message: string) => message.replace(/,p=(.)/, (_, first) => `,p=${first === '0' ? '1' : '0'}`);
    expect(await proof(server, 'tybalt', 'pw-tybalt', { tamper })).toBe('not-authorized');
    const other = (message: string) => message.replace('r=', 'r=x');
    expect(await proof(server, 'tybalt', 'pw-tybalt', { tamper: other })).toBe('not-authorized');
  });

  test('the policy holds, around which it goes', async () => {
    const server = await start('relay');
    await lock('tybalt');
    expect(await proof(server, 'tybalt', 'pw-tybalt')).toBe('account-disabled');
    expect(await proof(server, 'tybalt', 'wrong')).toBe('not-authorized');
    await unlock('tybalt');
    expect(await proof(server, 'tybalt', 'pw-tybalt')).toBe('success');
  });

  test('a name that is somebody else’s in the directory opens no account', async () => {
    await slapd.modify(personDn('benvolio'), { mail: ['mab@localhost'] });
    await slapd.modify(personDn('mercutio'), { mail: ['benvolio@localhost'], userPassword: ['pw-mercutio'] });
    const server = await start('relay');
    // the directory takes it for Benvolio's own, but the address is Mercutio's
    expect(await proof(server, 'benvolio', 'pw-benvolio')).toBe('not-authorized');
    expect((await login(server, 'benvolio', 'pw-mercutio'))[0]).toBe('success');
  });
});
