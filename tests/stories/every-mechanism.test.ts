import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mechanisms as nameable } from '@parley/server/config/mechanisms';
import { CertificateAuthority, clientCertificate, xmppAddress } from '@parley/server/stream/testing';
import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { tokenMechanisms } from '@parley/xmpp/sasl/hashed-token';
import type { ChannelBindingType } from '@parley/xmpp/sasl/mechanism';
import { saslMechanisms } from '@parley/xmpp/sasl/mechanisms';
import type { ScramHash } from '@parley/xmpp/sasl/scram-verifier';
import { clientFinal } from '@parley/xmpp/sasl/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startDirectoryServer } from '../directory/server.ts';
import { gssapi } from '../kerberos/gssapi-login.ts';
import { Initiator } from '../services/initiator.ts';
import { Kdc } from '../services/kdc.ts';
import { Slapd } from '../services/slapd.ts';
import { bearerMessage } from '../support/bearer.ts';
import type { TestClient } from '../support/client.ts';
import { TestProvider } from '../support/identity-provider.ts';
import { conditionOf } from '../support/login.ts';
import { type Exchange, sasl2Exchange, saslExchange } from '../support/sasl-exchange.ts';
import { AGENT, plain2, show, tokenIn, wantToken } from '../support/sasl2.ts';
import type { TestServer } from '../support/server.ts';
import { nodeCount } from '../support/topology.ts';

// Each mechanism lets in whoever may come by it, on each node, whoever keeps the account. One that is not told of here fails.

const BINDINGS: ReadonlyMap<ChannelBindingType, Buffer> = new Map([
  ['tls-exporter', Buffer.from('what this very connection exports')],
  ['tls-unique', Buffer.from('first Finish')],
  ['tls-server-end-point', Buffer.from('the hash of the certificate')],
]);

/** Somebody with all that lets in. */
interface Person {
  readonly name: string;
  readonly password: string;
  readonly tickets: Initiator;
  readonly certificate: Buffer;
}

let folder: string;
let authority: CertificateAuthority;
let slapd: Slapd;
let kdc: Kdc;
let keytab: string;
let provider: TestProvider;
/** One whose account the server keeps, and one of the directory. */
let paris: Person;
let juliet: Person;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-mechanisms-'));
  [authority, slapd, kdc] = await Promise.all([CertificateAuthority.make(), Slapd.startLasting(), Kdc.startLasting()]);
  writeFileSync(join(folder, 'authorities.pem'), authority.cert);
  await kdc.people('paris', 'juliet');
  keytab = await kdc.keytab('xmpp/localhost');
  [paris, juliet] = await Promise.all([person('paris', 'secret'), person('juliet', 'pw-juliet')]);
});
afterAll(async () => {
  for (const each of [paris, juliet]) each.tickets.end();
  await Promise.all([slapd.end(), kdc.end()]);
  rmSync(folder, { recursive: true });
});

async function person(name: string, password: string): Promise<Person> {
  const { cert } = await clientCertificate(xmppAddress(`${name}@localhost`));
  const tickets = new Initiator(await kdc.login(name));
  return { name, password, tickets, certificate: new X509Certificate(cert).raw };
}

/** A server of which everything can be had. */
async function start(): Promise<TestServer> {
  for (const [name, value] of Object.entries(kdc.serverEnv())) vi.stubEnv(name, value);
  provider = await TestProvider.start();
  const server = await startDirectoryServer(slapd, {
    directory: { passwords: { scram: 'learn' } },
    config: {
      authentication: {
        accounts: ['internal', 'corp'],
        mechanisms: nameable.parse(CONFIGURED),
        kerberos: { keytab },
      },
      identityProviders: [provider.signed()],
      tls: { clientAuthorities: join(folder, 'authorities.pem') },
    },
  });
  await server.account('paris@localhost');
  return server;
}

/** Each time to another node. */
function connect(server: TestServer, { certificate }: Person): TestClient {
  const client = server.connect((transport) => {
    for (const [type, data] of BINDINGS) transport.bindings.set(type, data);
    transport.peerCertificate = certificate;
  });
  client.open('localhost');
  return client;
}

// --- the mechanisms -------------------------------------------------------------------------------------------------

type Way = (exchange: Exchange, who: Person) => Promise<Element>;

/** What is said in one message, which lets in. */
const told =
  (first: (who: Person) => string | Promise<string>): Way =>
  async (exchange, who) => {
    exchange.begin(Buffer.from(await first(who)));
    return exchange.next();
  };

const scram =
  (hash: ScramHash, type?: ChannelBindingType): Way =>
  async (exchange, { name, password }) => {
    const first = `${type === undefined ? 'n' : `p=${type}`},,n=${name},r=a-nonce-of-the-client`;
    exchange.begin(Buffer.from(first));
    const challenge = await exchange.next();
    if (challenge.name !== 'challenge') return challenge;
    const data = Buffer.from(challenge.text, 'base64');
    const bindingData = type && BINDINGS.get(type);
    const step = { type: 'challenge', data } as const;
    exchange.respond(Buffer.from(clientFinal(hash, first, step, { password, bindingData }).message));
    return exchange.next();
  };

const WAYS: Readonly<Record<string, Way>> = {
  // a directory tells the server nothing that SCRAM could be spoken by before it has been there once
  PLAIN: told(({ name, password }) => `\0${name}\0${password}`),
  'SCRAM-SHA-512': scram('SHA-512'),
  'SCRAM-SHA-256': scram('SHA-256'),
  'SCRAM-SHA-1': scram('SHA-1'),
  'SCRAM-SHA-512-PLUS': scram('SHA-512', 'tls-exporter'),
  'SCRAM-SHA-256-PLUS': scram('SHA-256', 'tls-unique'),
  'SCRAM-SHA-1-PLUS': scram('SHA-1', 'tls-server-end-point'),
  OAUTHBEARER: told(async ({ name }) => bearerMessage(await provider.token({ preferred_username: name }))),
  EXTERNAL: told(() => ''),
  GSSAPI: async (exchange, { tickets }) => (await gssapi(exchange, tickets)).end,
  ANONYMOUS: told(() => ''),
};

const CONFIGURED = Object.keys(WAYS).filter((name) => !name.endsWith('-PLUS'));

const PROFILES = { SASL: saslExchange, SASL2: sasl2Exchange };

/** Whose session a client binds that has logged in; how the login has ended where it has failed. */
async function comesIn(client: TestClient, end: Element): Promise<string> {
  if (end.name !== 'success') return conditionOf(end);
  const bound = await client.request('set', `<bind xmlns='${NS.bind}'/>`);
  const { local, bareText } = Jid.parse(bound.firstChild?.childText('jid') ?? '');
  client.break();
  return ['paris', 'juliet'].includes(local) ? bareText : 'a guest';
}

test('each mechanism has a story', () => {
  expect(Object.keys(WAYS).sort()).toEqual(saslMechanisms.map(({ name }) => name).sort());
  expect(nameable.parse(CONFIGURED).toSorted()).toEqual([...nameable.element.options].sort());
});

test('lets in people whose accounts the server keeps, and those of a directory, on every node', async () => {
  const server = await start();
  const outcomes: string[] = [];
  const expected: string[] = [];
  for (const who of [paris, juliet]) {
    for (const [mechanism, way] of Object.entries(WAYS)) {
      for (const [profile, exchangeOf] of Object.entries(PROFILES)) {
        for (let node = 1; node <= nodeCount; node++) {
          const story = `${who.name} by ${mechanism} over ${profile}, ${node}: `;
          const client = connect(server, who);
          outcomes.push(story + (await comesIn(client, await way(exchangeOf(client, mechanism), who))));
          expected.push(story + (mechanism === 'ANONYMOUS' ? 'a guest' : `${who.name}@localhost`));
        }
      }
    }
    for (const [mechanism, type] of tokenMechanisms) {
      const given = await plain2(connect(server, who), who.name, who.password, AGENT + wantToken(mechanism));
      for (let node = 1; node <= nodeCount; node++) {
        const story = `${who.name} by ${mechanism}, ${node}: `;
        const client = connect(server, who);
        const binding = (type && BINDINGS.get(type)) ?? Buffer.alloc(0);
        const end = await show(client, tokenIn(given) ?? '', { mechanism, username: who.name, binding });
        outcomes.push(story + (await comesIn(client, end)));
        expected.push(`${story}${who.name}@localhost`);
      }
    }
  }
  expect(outcomes).toEqual(expected);
});
