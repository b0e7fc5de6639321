import { PasswordWork } from '@parley/server/auth/password-work';
import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { expect, test, vi } from 'vitest';
import { bearer } from '../support/bearer.ts';
import type { TestClient } from '../support/client.ts';
import { CountedKeyspace } from '../support/counted-keyspace.ts';
import { base64, features, sendAuth } from '../support/login.ts';
import { AGENT, authenticate, said, show, wantToken } from '../support/sasl2.ts';
import { startServer, type TestServer } from '../support/server.ts';

// Whoever tries to log in learns neither from what is said nor from the work that is done whether there is such an account.

const exported = Buffer.from('what this very connection exports');

async function start() {
  const counted = await CountedKeyspace.open();
  const server = await startServer({
    keyspace: counted.keyspace,
    config: {
      limits: { logins: { delaySeconds: 0, failuresPerAddress: 1000, failuresPerAccountAndAddress: 1000 } },
      authentication: { legacy: true, mechanisms: [...SCRAMS, 'OAUTHBEARER', 'PLAIN'] },
      identityProviders: [PROVIDER],
    },
  });
  return { server, counted };
}

/** It is not there, and nobody asks it about what is no token. */
const PROVIDER = {
  ...{ name: 'one', issuer: 'https://localhost:1', keys: 'https://localhost:1', audience: ['xmpp'] },
  account: { claim: 'sub', domain: 'localhost' },
};

const SCRAMS = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1'];

function connect(server: TestServer, name: string): TestClient {
  const client = server.connect((transport) => transport.bindings.set('tls-exporter', exported));
  client.open('localhost', `${name}@localhost`);
  return client;
}

const sasl = (client: TestClient): Promise<Element> => client.take(({ ns }) => ns === NS.sasl);

/** A way to try: gives what the server has said. */
type Try = (client: TestClient, name: string) => Promise<string[]>;

const final = (challenge: Element, header: string): string => {
  const { r = '' } = /r=(?<r>[^,]+)/.exec(Buffer.from(challenge.text, 'base64').toString())?.groups ?? {};
  const binding = header.startsWith('p=')
    ? Buffer.concat([Buffer.from(header), exported]).toString('base64')
    : base64(header);
  return base64(`c=${binding},r=${r},p=${Buffer.alloc(32).toString('base64')}`);
};

const plain: Try = async (client, name) => {
  sendAuth(client, 'PLAIN', base64(`\0${name}\0guess`));
  return [String(await sasl(client))];
};

const plain2: Try = async (client, name) => {
  authenticate(client, 'PLAIN', `\0${name}\0guess`, `${AGENT}${wantToken()}<bind xmlns='${NS.bind2}'/>`);
  return [String(await said(client))];
};

const scram =
  (mechanism: string, header: string): Try =>
  async (client, name) => {
    sendAuth(client, mechanism, base64(`${header}n=${name},r=nonce`));
    const challenge = await sasl(client);
    client.send(`<response xmlns='${NS.sasl}'>${final(challenge, header)}</response>`);
    return [described(challenge), String(await sasl(client))];
  };

const scram2 =
  (mechanism: string, header: string): Try =>
  async (client, name) => {
    const tasks = ['UPGR-SCRAM-SHA-512', 'UPGR-SCRAM-SHA-256', 'CHANGE-PASSWORD'];
    const wanted = tasks.map((task) => `<upgrade xmlns='${NS.saslUpgrade}'>${task}</upgrade>`);
    authenticate(client, mechanism, `${header}n=${name},r=nonce`, wanted.join(''));
    const challenge = await said(client);
    client.send(`<response xmlns='${NS.sasl2}'>${final(challenge, header)}</response>`);
    return [described(challenge), String(await said(client))];
  };

/** A challenge without its nonce and with the size of its salt in place of that. */
const described = (challenge: Element): string =>
  Buffer.from(challenge.text, 'base64')
    .toString()
    .replace(/r=[^,]+/, 'r')
    .replace(/s=([^,]+)/, (_, salt: string) => `s=${Buffer.from(salt, 'base64').length}`);

const token =
  (attributes: string, content = ''): Try =>
  async (client, name) => [
    String(await show(client, 'a token that nobody was given', { username: name, attributes, content })),
  ];

const legacy: Try = async (client, name) => {
  const fields = `<username>${name}</username><password>guess</password><resource>r</resource>`;
  return [
    String(await client.request('get', `<query xmlns='${NS.iqAuth}'><username>${name}</username></query>`)),
    String(await client.request('set', `<query xmlns='${NS.iqAuth}'>${fields}</query>`)),
  ];
};

const bearerFor: Try = async (client, name) => {
  const { told, end } = await bearer(client, 'a.b.c', `${name}@localhost`);
  return [JSON.stringify(told), String(end)];
};

const WAYS: [string, Try][] = [
  ['OAUTHBEARER', bearerFor],
  ['PLAIN', plain],
  ['PLAIN by SASL2', plain2],
  ...SCRAMS.flatMap((name): [string, Try][] => [
    [name, scram(name, 'n,,')],
    [`${name}-PLUS`, scram(`${name}-PLUS`, 'p=tls-exporter,,')],
    [`${name} by SASL2`, scram2(name, 'n,,')],
  ]),
  ['a token', token('')],
  ['a token that is counted', token(` count='5'`)],
  ['a token that is to be ended', token(` invalidate='1'`)],
  ['a token and a session', token('', `<resume xmlns='${NS.streamManagement}' previd='0123456789abcdef' h='0'/>`)],
  ['jabber:iq:auth', legacy],
];

/** Makes an account what a column says. All names are as long as each other. */
const KINDS: Record<string, (server: TestServer, jid: string) => Promise<unknown> | undefined> = {
  'an account': (server, jid) => server.account(jid),
  'one that is disabled': async (server, jid) => {
    await server.account(jid);
    await server.accounts.disable?.(Jid.parse(jid));
  },
  'one that is there and has a token': async (server, jid) => {
    await server.account(jid);
    const client = connect(server, jid.slice(0, jid.indexOf('@')));
    authenticate(client, 'PLAIN', `\0${jid.slice(0, jid.indexOf('@'))}\0secret`, AGENT + wantToken());
    expect((await said(client)).name).toBe('success');
    await client.close();
  },
};

/** What a stranger sees of a name, and what is done for it: at first, and again. */
async function trial(server: TestServer, counted: CountedKeyspace, way: Try, name: string) {
  const derived = vi.spyOn(PasswordWork.prototype, 'run');
  const seen: unknown[] = [];
  for (let time = 0; time < 2; time++) {
    counted.taken(name);
    derived.mockClear();
    const client = connect(server, name);
    const offer = String(await features(client));
    const answers = await way(client, name);
    seen.push({ offer, answers, asked: counted.taken(name), derived: derived.mock.calls.length });
    client.break();
  }
  return JSON.parse(
    JSON.stringify(seen)
      .replaceAll(name, 'NAME')
      .replaceAll(/ id='[^']*'/g, ''),
  );
}

test.each(WAYS)('by %s nobody can tell whether there is such an account', async (_, way) => {
  const { server, counted } = await start();
  const unknown = await trial(server, counted, way, 'nobody0');
  for (const [index, make] of Object.values(KINDS).entries()) {
    const name = `someone${index}`.slice(-7);
    await make(server, `${name}@localhost`);
    // as after a restart: nothing is known of it
    (server.accounts as unknown as { forget(account: Jid): void }).forget(Jid.parse(`${name}@localhost`));
    expect(await trial(server, counted, way, name)).toEqual(unknown);
  }
});

test.each(['SHA-1', 'SHA-256', 'SHA-512'] as const)(
  'the challenge of SCRAM-%s stays the same on other nodes, and where there comes to be an account',
  async (hash) => {
    const { server, counted } = await start();
    const other = await startServer({
      keyspace: counted.keyspace,
      config: { limits: { logins: { delaySeconds: 0 } } },
    });
    const salt = async (at: TestServer) => {
      const client = connect(at, 'someone');
      sendAuth(client, `SCRAM-${hash}`, base64('n,,n=someone,r=nonce'));
      const text = Buffer.from((await sasl(client)).text, 'base64').toString();
      client.break();
      return text.replace(/r=[^,]+/, '').replace(/,h=.*/, '');
    };
    const before = await salt(server);
    expect(before).toMatch(/^,s=[A-Za-z0-9+/]{22}==,i=4096$/);
    expect(await salt(other)).toBe(before);
    await server.account('someone@localhost');
    expect(await salt(server)).toBe(before);
    await server.accounts.setPassword?.(Jid.parse('someone@localhost'), 'another');
    expect(await salt(server)).toBe(before);
  },
);

test('whoever says that it comes back to a session is served sooner only where it shows which', async () => {
  const config = { limits: { logins: { delaySeconds: 0, perSecond: 20, maxWaitSeconds: 10 } } };
  const server = await startServer({ config, nodes: 1 });
  await server.account('someone@localhost');
  const enable = `<bind xmlns='${NS.bind2}'><enable xmlns='${NS.streamManagement}' resume='true'/></bind>`;
  const login = (client: TestClient, password: string, content: string) =>
    authenticate(client, 'PLAIN', `\0someone\0${password}`, content);
  const owner = connect(server, 'someone');
  login(owner, 'secret', enable);
  const success = await said(owner);
  const enabled = success.child('bound', NS.bind2)?.child('enabled', NS.streamManagement);
  owner.break();
  await server.settled();

  const order: string[] = [];
  const come = async (who: string, name: string, previd: string) => {
    const client = connect(server, name);
    await features(client);
    login(client, 'guess', `<resume xmlns='${NS.streamManagement}' previd='${previd}' h='0'/>`);
    return said(client).then(() => void order.push(who));
  };
  const answers: Promise<void>[] = [];
  for (let index = 0; index < 6; index++) answers.push(come(`stranger ${index}`, 'someone', '0123456789abcdef'));
  answers.push(come('its client', 'someone', enabled?.attr('id') ?? ''));
  await Promise.all(answers);
  const place = order.indexOf('its client');
  expect(place).toBeLessThan(3); // so many are let in before anybody has to wait
  expect(order.toSpliced(place, 1)).toEqual(Array.from({ length: 6 }, (_, index) => `stranger ${index}`));
});
