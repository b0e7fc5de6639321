import { Jid } from '@parley/xmpp/jid';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import {
  answer,
  base64,
  conditionOf,
  features,
  isIn,
  mechanismsOf,
  plain,
  scram,
  sendAuth,
  streamError,
} from '../../../../tests/support/login.ts';
import type { MemoryTransport } from '../../../../tests/support/memory-transport.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const _BIND = 'urn:ietf:params:xml:ns:xmpp-bind';
const juliet = Jid.parse('juliet@localhost');
const exported = Buffer.from('what this very connection exports');
const hashed = Buffer.from('the hash of the certificate');
const right = { username: 'juliet', password: 'secret' };

let server: TestServer;

async function start(config: Parameters<typeof startServer>[0] = {}): Promise<void> {
  server = await startServer({
    modules: [],
    ...config,
    config: {
      limits: { logins: { delaySeconds: 0, failuresPerStream: 5 } },
      authentication: { mechanisms: ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'] },
      ...config.config,
    },
  });
  await server.account('juliet@localhost');
}

function connect(prepare?: (transport: MemoryTransport) => void): TestClient {
  const client = server.connect(prepare);
  client.open('localhost');
  return client;
}

const bound = (transport: MemoryTransport) => {
  transport.bindings.set('tls-exporter', exported).set('tls-server-end-point', hashed);
};

const inClearText = (transport: MemoryTransport) => {
  transport.tls = undefined;
};

const count = (
  mechanism: 'PLAIN' | 'SCRAM-SHA-1' | 'other',
  outcome: 'success' | 'not-authorized' | 'invalid-mechanism',
) => server.node.registry.metrics.logins.with({ mechanism, outcome }).value;

describe('who is right', () => {
  beforeEach(() => start());

  test('gets in by PLAIN', async () => {
    const client = connect();
    expect(conditionOf(await plain(client, 'juliet', 'secret'))).toBe('success');
    expect(await isIn(client)).toBe(true);
    expect(count('PLAIN', 'success')).toBe(1);
  });

  test.each(['SHA-1', 'SHA-256', 'SHA-512'] as const)('gets in by SCRAM-%s', async (hash) => {
    const client = connect();
    expect(conditionOf(await scram(client, { ...right, hash }))).toBe('success');
    expect(await isIn(client)).toBe(true);
  });

  test.each([
    ['SHA-1', 'tls-exporter', exported],
    ['SHA-256', 'tls-exporter', exported],
    ['SHA-512', 'tls-server-end-point', hashed],
  ] as const)('gets in by SCRAM-%s-PLUS bound by %s', async (hash, type, bindingData) => {
    const client = connect(bound);
    const offer = await features(client);
    expect(mechanismsOf(offer)).toContain(`SCRAM-${hash}-PLUS`);
    const types = offer.child('sasl-channel-binding', 'urn:xmpp:sasl-cb:0')?.elements.map((each) => each.attr('type'));
    expect(types).toEqual(['tls-exporter', 'tls-server-end-point']);
    const attempt = { ...right, hash, plus: true, header: `p=${type},,`, bindingData };
    expect(conditionOf(await scram(client, attempt))).toBe('success');
    expect(await isIn(client)).toBe(true);
  });

  test('in the second attempt gets in', async () => {
    const client = connect();
    expect(conditionOf(await scram(client, { ...right, password: 'guess' }))).toBe('not-authorized');
    expect(conditionOf(await plain(client, 'juliet', 'guess'))).toBe('not-authorized');
    expect(conditionOf(await scram(client, right))).toBe('success');
    expect(await isIn(client)).toBe(true);
  });

  test('may name himself as whom he acts for, and nobody else', async () => {
    await server.account('romeo@localhost');
    expect(conditionOf(await plain(connect(), 'juliet', 'secret', 'juliet@localhost'))).toBe('success');
    const client = connect();
    expect(conditionOf(await plain(client, 'juliet', 'secret', 'romeo@localhost'))).toBe('invalid-authzid');
    const asRomeo = await scram(client, { ...right, header: 'n,a=romeo@localhost,' });
    expect(conditionOf(asRomeo)).toBe('invalid-authzid');
    expect(await isIn(client)).toBe(false);
  });

  test('says the first message when asked, too', async () => {
    const client = connect();
    sendAuth(client, 'PLAIN', '');
    const challenge = await answer(client);
    expect([challenge.name, challenge.text]).toEqual(['challenge', '=']);
    client.send(`<response xmlns='${SASL}'>${base64('\0juliet\0secret')}</response>`);
    expect(conditionOf(await answer(client))).toBe('success');
  });
});

describe('who is wrong', () => {
  beforeEach(() => start());

  test('does not learn which accounts there are', async () => {
    await server.account('disabled@localhost');
    await server.accounts.disable?.(Jid.parse('disabled@localhost'));
    const said = new Set<string>();
    for (const name of ['juliet', 'nobody', 'disabled']) {
      said.add(String(await plain(connect(), name, 'guess')));
      said.add(String(await scram(connect(), { username: name, password: 'guess' })));
    }
    expect(said.size).toBe(1);
    expect([...said][0]).toContain('not-authorized');
  });

  test('sees a salt for every name, always the same', async () => {
    const challenge = async (name: string) => {
      const client = connect();
      sendAuth(client, 'SCRAM-SHA-256', base64(`n,,n=${name},r=nonce`));
      return Buffer.from((await answer(client)).text, 'base64').toString();
    };
    const fields = (text: string) => /^r=([^,]+),s=([^,]+),i=(\d+),h=([^,]+),t=0304$/.exec(text) ?? [];
    const [, nonce, salt, iterations] = fields(await challenge('nobody'));
    const [, nextNonce, nextSalt] = fields(await challenge('nobody'));
    const [, , realSalt, realIterations] = fields(await challenge('juliet'));
    expect(nextSalt).toBe(salt);
    expect(nextNonce).not.toBe(nonce);
    expect(realIterations).toBe(iterations);
    expect(realSalt?.length).toBe(salt?.length);
    expect(fields(await challenge('tybalt'))[2]).not.toBe(salt);
  });

  test('with the right password of a disabled account is told so', async () => {
    await server.accounts.disable?.(juliet);
    expect(conditionOf(await plain(connect(), 'juliet', 'secret'))).toBe('account-disabled');
    const client = connect();
    expect(conditionOf(await scram(client, right))).toBe('account-disabled');
    expect(await isIn(client)).toBe(false);
  });

  test('five times is shown the door', async () => {
    const client = connect();
    for (let i = 0; i < 5; i++) expect(conditionOf(await plain(client, 'juliet', `guess ${i}`))).toBe('not-authorized');
    expect(await streamError(client)).toBe('policy-violation');
    await client.closed;
    expect(count('PLAIN', 'not-authorized')).toBe(5);
    // from elsewhere the owner gets in
    const elsewhere = connect((transport) => {
      transport.remoteAddress = '198.51.100.7';
    });
    expect(conditionOf(await plain(elsewhere, 'juliet', 'secret'))).toBe('success');
  });

  test('ten times from one address is not heard there for a while, even with the right password', async () => {
    for (let i = 0; i < 10; i++) await plain(connect(), 'juliet', 'guess');
    for (const password of ['secret', 'guess']) {
      expect(conditionOf(await plain(connect(), 'juliet', password))).toBe('temporary-auth-failure');
    }
    expect(conditionOf(await scram(connect(), right))).toBe('temporary-auth-failure');
    await server.account('romeo@localhost');
    expect(conditionOf(await plain(connect(), 'romeo', 'secret'))).toBe('success');
  });
});

describe('SCRAM', () => {
  beforeEach(() => start());

  const flip = (message: string, at: number) => {
    const bytes = Buffer.from(message);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes.toString('latin1');
  };

  test('does not survive any change of its last message', async () => {
    const length = (
      await new Promise<string>((resolve) => {
        const tamper = (message: string) => {
          resolve(message);
          return message;
        };
        void scram(connect(), { ...right, tamper });
      })
    ).length;
    await fc.assert(
      fc.asyncProperty(fc.nat(length - 1), async (at) => {
        const client = server.connect((transport) => {
          transport.remoteAddress = `198.51.100.${at % 200}`;
        });
        client.open('localhost');
        const end = await scram(client, { ...right, tamper: (message) => flip(message, at) });
        expect(end.name).toBe('failure');
        client.break();
      }),
      { numRuns: 60 },
    );
  });

  test('cannot be replayed', async () => {
    let proof = '';
    const tamper = (message: string) => {
      proof ||= message;
      return proof;
    };
    expect(conditionOf(await scram(connect(), { ...right, tamper }))).toBe('success');
    const client = connect();
    expect(conditionOf(await scram(client, { ...right, tamper }))).toBe('not-authorized');
    expect(await isIn(client)).toBe(false);
  });

  test.each([
    ['to another connection', { plus: true, header: 'p=tls-exporter,,', bindingData: Buffer.from('of another') }],
    ['by the data of another type', { plus: true, header: 'p=tls-exporter,,', bindingData: hashed }],
    ['by a type that is not offered', { plus: true, header: 'p=tls-unique,,', bindingData: exported }],
    ['by a client that saw no -PLUS', { header: 'y,,' }],
  ])('bound %s fails', async (_, change) => {
    const client = connect(bound);
    expect((await scram(client, { ...right, ...change })).name).toBe('failure');
    expect(await isIn(client)).toBe(false);
  });

  test.each([
    ['binding without -PLUS', { header: 'p=tls-exporter,,', bindingData: exported }],
    ['-PLUS without binding', { plus: true, header: 'n,,' }],
  ])('%s is malformed', async (_, change) => {
    expect(conditionOf(await scram(connect(bound), { ...right, ...change }))).toBe('malformed-request');
  });

  test('with "y" is right where the server has no channel binding', async () => {
    expect(conditionOf(await scram(connect(), { ...right, header: 'y,,' }))).toBe('success');
  });
});

describe('without TLS', () => {
  test('nothing is offered and nothing heard while TLS is required', async () => {
    await start();
    const client = connect(inClearText);
    const offer = await features(client);
    expect(offer.child('mechanisms', SASL)).toBeUndefined();
    expect(conditionOf(await plain(client, 'juliet', 'secret'))).toBe('encryption-required');
    expect(conditionOf(await scram(client, right))).toBe('encryption-required');
  });

  test('SCRAM goes where TLS is not required, and PLAIN does not', async () => {
    await start({ config: { tls: { required: false } } });
    const client = connect(inClearText);
    expect(mechanismsOf(await features(client))).not.toContain('PLAIN');
    expect(conditionOf(await plain(client, 'juliet', 'secret'))).toBe('encryption-required');
    expect(conditionOf(await scram(client, right))).toBe('success');
  });

  test('PLAIN goes where the operator wants it', async () => {
    await start({ config: { tls: { required: false }, authentication: { plainWithoutTls: true } } });
    expect(conditionOf(await plain(connect(inClearText), 'juliet', 'secret'))).toBe('success');
  });
});

test('while the keyspace is away nobody is told that the password is wrong', async () => {
  await start();
  const { accounts } = server;
  accounts.verifier = async () => {
    const { KeyspaceError } = await import('@parley/keyspace/keyspace-error');
    throw new KeyspaceError('away', 'Redis is gone');
  };
  const client = connect();
  expect(conditionOf(await scram(client, right))).toBe('temporary-auth-failure');
  expect(conditionOf(await plain(client, 'juliet', 'secret'))).toBe('temporary-auth-failure');
});
