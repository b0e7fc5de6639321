import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, clientCertificate, xmppAddress } from '@parley/server/stream/testing';
import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { tokenMechanisms } from '@parley/xmpp/sasl/hashed-token';
import type { ChannelBindingType } from '@parley/xmpp/sasl/mechanism';
import { saslMechanisms } from '@parley/xmpp/sasl/mechanisms';
import type { ScramHash } from '@parley/xmpp/sasl/scram-verifier';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { conditionOf, isIn, type ScramAttempt } from '../support/login.ts';
import type { MemoryTransport } from '../support/memory-transport.ts';
import { AGENT, authenticate, plain2, type Showing, said, scram2, show, tokenIn, wantToken } from '../support/sasl2.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { ATTACKS, Elsewhere, NoSuchAttack, type Row, type Trial, WITH_SERVICES } from './mechanism-attacks.ts';

// Each mechanism and each attack on it. A mechanism that has no row here fails the suite.

const juliet = Jid.parse('juliet@localhost');
const BINDINGS: Readonly<Record<string, Buffer>> = {
  'tls-exporter': Buffer.from('what this very connection exports'),
  'tls-unique': Buffer.from('first Finish'),
  'tls-server-end-point': Buffer.from('the hash of the certificate'),
};
const ELSE = Buffer.from('what the connection of somebody in between has');
const ALL = ['EXTERNAL', 'SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'];

let folder = '';
let clientAuthorities = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-attacks-'));
  clientAuthorities = join(folder, 'authorities.pem');
  writeFileSync(clientAuthorities, (await CertificateAuthority.make()).cert);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(mechanisms: readonly string[] = ALL, tls: object = {}): Promise<TestServer> {
  const server = await startServer({
    config: {
      limits: { logins: { delaySeconds: 0 } },
      authentication: { mechanisms },
      tls: { clientAuthorities, ...tls },
    },
  });
  await server.account('juliet@localhost');
  await server.account('romeo@localhost');
  return server;
}

function connect(server: TestServer, prepare: (transport: MemoryTransport) => void = binds): TestClient {
  const client = server.connect(prepare);
  client.open('localhost');
  return client;
}

function binds(transport: MemoryTransport): void {
  for (const [type, data] of Object.entries(BINDINGS)) transport.bindings.set(type as ChannelBindingType, data);
}

const unbound = (): void => undefined;
const inClearText = (transport: MemoryTransport): void => {
  transport.tls = undefined;
};

/** The account can be logged in to no more, after which what was good is not. */
const REVOCATIONS: readonly [string, (server: TestServer) => Promise<unknown> | undefined][] = [
  ['account-disabled', ({ accounts }) => accounts.disable?.(juliet)],
  ['not-authorized', ({ accounts }) => accounts.remove?.(juliet)],
];
const ANOTHER_PASSWORD = ({ accounts }: TestServer) => accounts.setPassword?.(juliet, 'another');

/** Tries something that fails with this condition, and sees that nobody is in. */
async function fails(client: TestClient, attempt: Promise<Element>, condition: string): Promise<void> {
  expect(conditionOf(await attempt)).toBe(condition);
  expect(await isIn(client)).toBe(false);
}

const EXPIRED_IN_DIRECTORY =
  'is told to have expired to those who do not ask for the task, and to nobody with a wrong one';

// --- PLAIN ------------------------------------------------------------------------------------------------------------

const plain: Row = {
  async tampered() {
    const server = await start();
    for (const [username, password, condition] of [
      ['juliet', 'secret ', 'not-authorized'],
      ['romeo', 'Secret', 'not-authorized'],
      ['juliet', 'secret\0', 'malformed-request'],
    ] as const) {
      const client = connect(server);
      await fails(client, plain2(client, username, password), condition);
    }
    const client = connect(server);
    authenticate(client, 'PLAIN', 'romeo@localhost\0juliet\0secret');
    await fails(client, said(client), 'invalid-authzid');
  },
  replayed: new NoSuchAttack('Whoever has read the message has the password: TLS is what keeps it from being read.'),
  expired: new Elsewhere('tests/directory/sasl2.test.ts', EXPIRED_IN_DIRECTORY),
  async revoked() {
    for (const [condition, revoke] of [...REVOCATIONS, ['not-authorized', ANOTHER_PASSWORD] as const]) {
      const server = await start();
      await revoke(server);
      const client = connect(server);
      await fails(client, plain2(client, 'juliet', 'secret'), condition);
    }
  },
  async downgraded() {
    const without = connect(await start(['SCRAM-SHA-256']));
    await fails(without, plain2(without, 'juliet', 'secret'), 'invalid-mechanism');
    const clear = connect(await start(ALL, { required: false }), inClearText);
    await fails(clear, plain2(clear, 'juliet', 'secret'), 'encryption-required');
  },
  'wrong binding': new NoSuchAttack('It binds to nothing.'),
};

// --- SCRAM ------------------------------------------------------------------------------------------------------------

/** Says again on another stream what was said in a login that succeeded. */
async function repeatScram(server: TestServer, attempt: ScramAttempt): Promise<Element> {
  let last = '';
  const noted = { ...attempt, tamper: (message: string) => (last = message) };
  expect((await scram2(connect(server), noted)).name).toBe('success');
  const client = connect(server);
  return scram2(client, { ...attempt, tamper: () => last });
}

function scram(hash: ScramHash, plus: boolean): Row {
  const right = { username: 'juliet', password: 'secret', hash };
  const bound = (type: string): ScramAttempt =>
    plus ? { ...right, plus, header: `p=${type},,`, bindingData: BINDINGS[type] as Buffer } : right;
  const good = Object.keys(BINDINGS).map(bound);
  const tries = async (attempt: Partial<ScramAttempt>, condition: string, server?: TestServer) => {
    for (const each of good) {
      const client = connect(server ?? (await start()));
      await fails(client, scram2(client, { ...each, ...attempt }), condition);
    }
  };
  return {
    async tampered() {
      const server = await start();
      const another = (message: string) =>
        message.replace(/,p=(..)/, (_, first) => `,p=${first === 'AA' ? 'BB' : 'AA'}`);
      await tries({ tamper: another }, 'not-authorized', server);
      await tries({ nonce: 'a-nonce-of-the-client-and-of-nobody-else' }, 'not-authorized', server);
      await tries({ tamper: (message) => message.replace(',p=', ',x=1,p=') }, 'not-authorized', server);
      await tries({ tamper: (message) => message.replace(',p=', ',p=,p=') }, 'malformed-request', server);
    },
    async replayed() {
      const server = await start();
      for (const each of good) expect(conditionOf(await repeatScram(server, each))).toBe('not-authorized');
    },
    expired: new Elsewhere('tests/directory/scram.test.ts', 'the policy holds, around which the verifiers go'),
    async revoked() {
      for (const [condition, revoke] of [...REVOCATIONS, ['not-authorized', ANOTHER_PASSWORD] as const]) {
        const server = await start();
        await revoke(server);
        await tries({}, condition, server);
      }
    },
    async downgraded() {
      // the client was not shown -PLUS, though it is offered (RFC 5802 §6)
      const stripped = connect(await start());
      await fails(stripped, scram2(stripped, { ...right, header: 'y,,' }), 'mechanism-too-weak');
      if (plus) {
        const unheard = connect(await start());
        await fails(unheard, scram2(unheard, { ...right, plus, header: 'n,,' }), 'malformed-request');
        const nothing = connect(await start(), unbound);
        await fails(nothing, scram2(nothing, bound('tls-exporter')), 'invalid-mechanism');
      }
      await offersAreProved(hash, bound('tls-exporter'));
    },
    async 'wrong binding'() {
      if (!plus) {
        // what is said of the binding first is part of the proof
        const attempt = { tamper: (message: string) => message.replace('c=biws', 'c=eSws') };
        await tries(attempt, 'not-authorized');
        return tries(
          { header: 'p=tls-exporter,,', bindingData: BINDINGS['tls-exporter'] as Buffer },
          'malformed-request',
        );
      }
      await tries({ bindingData: ELSE }, 'not-authorized');
      await tries({ bindingData: Buffer.alloc(0) }, 'not-authorized');
      await tries({ header: 'p=tls-something,,' }, 'mechanism-too-weak');
      // the data of one type does not do for another
      const client = connect(await start());
      const crossed = { ...bound('tls-exporter'), bindingData: BINDINGS['tls-server-end-point'] as Buffer };
      await fails(client, scram2(client, crossed), 'not-authorized');
    },
  };
}

/** XEP-0474: a client that was shown less than what is offered sees that, whatever it chose. */
async function offersAreProved(hash: ScramHash, attempt: ScramAttempt): Promise<void> {
  const server = await start();
  const challengeOf = async (prepare: (transport: MemoryTransport) => void) => {
    const client = connect(server, prepare);
    authenticate(client, `SCRAM-${hash}`, `n,,n=${attempt.username},r=nonce`);
    return /,h=([^,]+)/.exec(Buffer.from((await said(client)).text, 'base64').toString())?.[1];
  };
  const [bound, bare] = [await challengeOf(binds), await challengeOf(unbound)];
  expect(bound).toBeDefined();
  expect(bound).not.toBe(bare);
}

// --- EXTERNAL ---------------------------------------------------------------------------------------------------------

async function certified(server: TestServer, address = 'juliet@localhost') {
  const { cert } = await clientCertificate(xmppAddress(address));
  return connect(server, (transport) => {
    transport.peerCertificate = new X509Certificate(cert).raw;
  });
}

async function external(client: TestClient, authzid = ''): Promise<Element> {
  authenticate(client, 'EXTERNAL', authzid);
  return said(client);
}

const EXTERNAL: Row = {
  async tampered() {
    const client = await certified(await start());
    await fails(client, external(client, 'romeo@localhost'), 'invalid-authzid');
  },
  replayed: new NoSuchAttack('What is said proves nothing: the handshake of TLS proves the key, anew each time.'),
  expired: new Elsewhere(
    'packages/server/src/net/client-revocations.test.ts',
    'a certificate that has expired is not believed',
  ),
  async revoked() {
    for (const [condition, revoke] of REVOCATIONS) {
      const server = await start();
      await revoke(server);
      const client = await certified(server);
      await fails(client, external(client), condition);
    }
  },
  async downgraded() {
    const clear = connect(await start(ALL, { required: false }), inClearText);
    await fails(clear, external(clear), 'encryption-required');
    const without = connect(await start());
    await fails(without, external(without), 'invalid-mechanism');
  },
  async 'wrong binding'() {
    const client = await certified(await start(), 'juliet@elsewhere.example');
    await fails(client, external(client), 'not-authorized');
  },
};

// --- ANONYMOUS --------------------------------------------------------------------------------------------------------

const nothing = new NoSuchAttack('It proves nothing: a guest is somebody new each time.');
const ANONYMOUS: Row = {
  tampered: nothing,
  replayed: nothing,
  expired: nothing,
  revoked: nothing,
  async downgraded() {
    const client = connect(await start());
    authenticate(client, 'ANONYMOUS', '');
    await fails(client, said(client), 'invalid-mechanism');
  },
  'wrong binding': nothing,
};

// --- HT ---------------------------------------------------------------------------------------------------------------

function hashedToken(mechanism: string, type: ChannelBindingType | undefined): Row {
  const binding = type === undefined ? Buffer.alloc(0) : (BINDINGS[type] as Buffer);
  const given = async (server: TestServer): Promise<string> =>
    tokenIn(await plain2(connect(server), 'juliet', 'secret', AGENT + wantToken(mechanism))) as string;
  const shows = (server: TestServer, token: string, showing: Showing = {}) =>
    show(connect(server), token, { mechanism, binding, ...showing });
  const tries = async (showing: Showing, condition: string, change: (token: string) => string = (token) => token) => {
    const server = await start();
    const token = await given(server);
    const client = connect(server);
    await fails(client, show(client, change(token), { mechanism, binding, ...showing }), condition);
    expect((await shows(server, token)).name).toBe('success'); // it is as good as before
  };
  return {
    async tampered() {
      await tries({}, 'not-authorized', (token) => `${token.slice(1)}A`);
      await tries({ username: 'romeo' }, 'not-authorized');
      await tries({ agent: AGENT.replace('d4565fa7', 'd4565fa8') }, 'not-authorized');
      await tries({ agent: '' }, 'invalid-mechanism');
    },
    async replayed() {
      const server = await start();
      const token = await given(server);
      expect((await shows(server, token, { attributes: ` count='3'` })).name).toBe('success');
      for (const attributes of [` count='3'`, ` count='2'`, '']) {
        expect(conditionOf(await shows(server, token, { attributes }))).toBe('not-authorized');
      }
      // one that was replaced by another is not good again
      const newer = tokenIn(
        await shows(server, token, { attributes: ` count='4'`, content: wantToken(mechanism) }),
      ) as string;
      expect((await shows(server, newer)).name).toBe('success');
      expect(conditionOf(await shows(server, token, { attributes: ` count='5'` }))).toBe('not-authorized');
    },
    async expired() {
      vi.useFakeTimers({ toFake: ['Date'] });
      onTestFinished(() => void vi.useRealTimers());
      const server = await start();
      const token = await given(server);
      const seconds = server.node.config.modules.fast?.tokenSeconds as number;
      // another client's token has the keyspace keep the account's
      vi.setSystemTime(Date.now() + seconds * 1000 - 1);
      const agent = AGENT.replace('d4565fa7', 'd4565fa8');
      await plain2(connect(server), 'juliet', 'secret', agent + wantToken(mechanism));
      vi.setSystemTime(Date.now() + 1);
      expect(conditionOf(await shows(server, token))).toBe('credentials-expired');
    },
    async revoked() {
      for (const [, revoke] of [...REVOCATIONS, ['not-authorized', ANOTHER_PASSWORD] as const]) {
        const server = await start();
        const token = await given(server);
        await revoke(server);
        expect(conditionOf(await shows(server, token))).toBe('not-authorized');
      }
      const server = await start();
      const token = await given(server);
      expect((await shows(server, token, { attributes: ` invalidate='true'` })).name).toBe('success');
      expect(conditionOf(await shows(server, token))).toBe('not-authorized');
    },
    async downgraded() {
      for (const [weaker, other] of tokenMechanisms) {
        if (weaker === mechanism) continue;
        const data = other === undefined ? Buffer.alloc(0) : (BINDINGS[other] as Buffer);
        await tries({ mechanism: weaker, binding: data }, 'not-authorized');
      }
      const server = await start(ALL, { required: false });
      const token = await given(server);
      const clear = connect(server, inClearText);
      await fails(clear, show(clear, token, { mechanism, binding }), 'encryption-required');
      if (type === undefined) return;
      const bare = connect(server, unbound);
      await fails(bare, show(bare, token, { mechanism, binding }), 'invalid-mechanism');
    },
    async 'wrong binding'() {
      await tries({ binding: ELSE }, 'not-authorized');
      if (type !== undefined) await tries({ binding: Buffer.alloc(0) }, 'not-authorized');
    },
  };
}

// ----------------------------------------------------------------------------------------------------------------------

const SCRAMS = (['SHA-512', 'SHA-256', 'SHA-1'] as const).flatMap((hash): [string, Row][] => [
  [`SCRAM-${hash}-PLUS`, scram(hash, true)],
  [`SCRAM-${hash}`, scram(hash, false)],
]);
const TOKENS = [...tokenMechanisms].map(([name, type]): [string, Row] => [name, hashedToken(name, type)]);
const ROWS = new Map<string, Row>([
  ['PLAIN', plain],
  ...SCRAMS,
  ['EXTERNAL', EXTERNAL],
  ['ANONYMOUS', ANONYMOUS],
  ...WITH_SERVICES,
  ...TOKENS,
]);

test('every mechanism that can be offered has a row, and nothing else has', () => {
  const offered = [...saslMechanisms.map(({ name }) => name), ...tokenMechanisms.keys()];
  expect([...ROWS.keys()].toSorted()).toEqual(offered.toSorted());
});

describe.each([...ROWS])('%s', (_, row) => {
  const cells = ATTACKS.map((attack): [string, Trial] => [attack, row[attack]]);

  test.each(cells.filter(([, trial]) => typeof trial === 'function'))('%s proves nothing', async (_, trial) => {
    await (trial as () => Promise<void>)();
  });

  test('what is not tried here is tried elsewhere, or has a reason', () => {
    for (const [attack, trial] of cells) {
      if (trial instanceof Elsewhere) expect([attack, trial.test, trial.exists]).toEqual([attack, trial.test, true]);
      if (trial instanceof NoSuchAttack) expect([attack, trial.reason.length > 10]).toEqual([attack, true]);
    }
  });
});
