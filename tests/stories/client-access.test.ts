import { ClientAccess } from '@parley/server/auth/clients/client-access';
import { ClientStore } from '@parley/server/auth/clients/client-store';
import { revokedGrantKeys } from '@parley/server/auth/clients/revoked-grants';
import { Logins } from '@parley/server/stream/logins';
import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { bearer, bearer2 } from '../support/bearer.ts';
import type { TestClient } from '../support/client.ts';
import { inSeconds, TestProvider } from '../support/identity-provider.ts';
import { answer, conditionOf, outcomeOf, sendAuth, streamError } from '../support/login.ts';
import { AGENT, addressIn, plain2, show, tokenIn, wantToken } from '../support/sasl2.ts';
import { type Partly, startServer, type TestServer } from '../support/server.ts';

const CAM = NS.clientAccess;
const BIND = `<bind xmlns='${NS.bind2}'/>`;
const OTHER_AGENT = AGENT.replace('d4565fa7', 'e4565fa7').replace('AwesomeXMPP', 'Another');

let server: TestServer;
let provider: TestProvider;

async function start(authentication: object = {}, identity: object = {}) {
  provider = await TestProvider.start();
  server = await startServer({
    config: {
      limits: { logins: { delaySeconds: 0 } },
      authentication: { mechanisms: ['OAUTHBEARER', 'SCRAM-SHA-1', 'PLAIN'], ...authentication },
      identityProviders: [provider.signed(identity)],
    } as Partly<never>,
  });
  await server.account('juliet@localhost');
}

beforeEach(() => start());

/** Each time on another node. */
function connect(): TestClient {
  const client = server.connect();
  client.open('localhost');
  return client;
}

/** A client that has logged in, with its session; what the success said. */
async function online(login: (client: TestClient) => Promise<Element>): Promise<[TestClient, Element]> {
  const client = connect();
  const success = await login(client);
  client.jid = addressIn(success) ?? '';
  await server.settled();
  return [client, success];
}

const byPassword = (agent = AGENT, content = BIND) =>
  online((client) => plain2(client, 'juliet', 'secret', agent + content));
const byOauth = (agent = AGENT, claims: object = {}, content = BIND) =>
  online(async (client) => (await bearer2(client, await provider.token(claims), agent + content)).end);

interface Listed {
  readonly id: string;
  readonly connected: string;
  readonly type: string;
  readonly auth: string[];
  readonly status: string;
  readonly software: string | undefined;
}

async function listedTo(client: TestClient): Promise<Listed[]> {
  const result = await client.request('get', `<list xmlns='${CAM}'/>`);
  return (result.child('clients', CAM)?.elements ?? []).map((each) => {
    for (const name of ['first-seen', 'last-seen']) {
      expect(Math.abs(Date.parse(each.childText(name) ?? '') - Date.now())).toBeLessThan(60_000);
    }
    return {
      id: each.attr('id') ?? '',
      connected: each.attr('connected') ?? '',
      type: each.attr('type') ?? '',
      auth: each.child('auth')?.elements.map(({ name }) => name) ?? [],
      status: each.child('permission')?.attr('status') ?? '',
      software: each.child('user-agent')?.childText('software'),
    };
  });
}

const revoke = (client: TestClient, id: string) => client.request('set', `<revoke xmlns='${CAM}' id='${id}'/>`);
const idOf = (clients: Listed[], software: string) => clients.find((each) => each.software === software)?.id ?? '';

describe('the list', () => {
  test('has each client, how it came, and whether it is there', async () => {
    const [juliet] = await byPassword(AGENT, BIND + wantToken());
    const [gone] = await byOauth(OTHER_AGENT);
    await gone.close();
    await server.settled();
    const clients = await listedTo(juliet);
    expect(clients.map(({ id: _, ...rest }) => rest)).toEqual([
      {
        connected: 'true',
        type: 'session',
        auth: ['password', 'fast'],
        status: 'unrestricted',
        software: 'AwesomeXMPP',
      },
      { connected: 'false', type: 'session', auth: ['grant'], status: 'normal', software: 'Another' },
    ]);
    // nobody is told by what a client is known again
    expect(JSON.stringify(clients)).not.toContain('4565fa7');
  });

  test('is the same on every node, and for every client of the owner', async () => {
    const [one] = await byPassword();
    const [other] = await byOauth(OTHER_AGENT);
    const rid = ({ id }: Listed) => id;
    expect((await listedTo(one)).map(rid).sort()).toEqual((await listedTo(other)).map(rid).sort());
  });

  test('has clients that do not say who they are while they are there', async () => {
    const named = await server.client('juliet@localhost/balcony');
    const [juliet] = await byPassword();
    expect(await listedTo(juliet)).toHaveLength(2);
    await named.close();
    await server.settled();
    expect((await listedTo(juliet)).map(({ software }) => software)).toEqual(['AwesomeXMPP']);
  });

  test('is for the owner alone', async () => {
    await byPassword();
    const romeo = await server.client('romeo@localhost/orchard');
    const asked = await romeo.request('get', `<list xmlns='${CAM}'/>`, 'juliet@localhost');
    expect(outcomeOf(asked)).toBe('service-unavailable');
  });

  test('says so in service discovery', async () => {
    const [juliet] = await byPassword();
    const info = await juliet.request('get', `<query xmlns='${NS.discoInfo}'/>`, 'juliet@localhost');
    expect(String(info)).toContain(`var='${CAM}'`);
  });

  test('is forgotten when the account or its password is another one, but for what was granted', async () => {
    await byPassword();
    await byOauth(OTHER_AGENT);
    await server.accounts.setPassword?.(server.sessions[0]?.account as never, 'another');
    await server.settled();
    const [juliet] = await online((client) => plain2(client, 'juliet', 'another', AGENT + BIND));
    expect((await listedTo(juliet)).map(({ auth }) => auth)).toEqual([['password'], ['grant']]);
  });
});

describe('a client that is shut out', () => {
  test('is out at once, and its tokens are good for nothing on any node', async () => {
    const [juliet] = await byPassword(OTHER_AGENT);
    const token = await provider.token();
    const [app, success] = await online(
      async (client) => (await bearer2(client, token, AGENT + BIND + wantToken())).end,
    );
    const ours = tokenIn(success) ?? '';
    const clients = await listedTo(juliet);
    expect(outcomeOf(await revoke(juliet, idOf(clients, 'AwesomeXMPP')))).toBe('result');
    expect(await streamError(app)).toBe('not-authorized');
    await server.settled();
    for (let i = 0; i < 3; i++) {
      expect(conditionOf(await show(connect(), ours))).toBe('not-authorized');
      expect((await bearer(connect(), token)).told?.status).toBe('invalid_token');
    }
    expect((await listedTo(juliet)).map(({ software }) => software)).toEqual(['Another']);
    expect(server.audit.filter(({ event }) => event === 'client.revoked')).toHaveLength(1);
  });

  test('is so on all of its devices, since it is one consent', async () => {
    const [juliet] = await byPassword();
    const agents = ['a', 'b'].map((digit) => AGENT.replace('d4565fa7', digit.repeat(8)).replace('Awesome', digit));
    const apps: TestClient[] = [];
    for (const agent of agents) apps.push((await byOauth(agent))[0]);
    await revoke(juliet, idOf(await listedTo(juliet), 'aXMPP'));
    for (const app of apps) expect(await streamError(app)).toBe('not-authorized');
    expect(await listedTo(juliet)).toHaveLength(1);
  });

  test('is so by itself, where nobody told it who it is, and others are not', async () => {
    const [juliet] = await byPassword();
    const app = connect();
    await bearer(app, await provider.token({ client_id: 'nameless' }));
    await app.request('set', `<bind xmlns='${NS.bind}'/>`);
    const [other] = await byOauth(OTHER_AGENT);
    await server.settled();
    const clients = await listedTo(juliet);
    expect(clients).toHaveLength(3);
    const nameless = clients.find(({ software }) => software === undefined);
    expect(nameless).toMatchObject({ auth: ['grant'], connected: 'true' });
    expect(outcomeOf(await revoke(juliet, nameless?.id ?? ''))).toBe('result');
    expect(await streamError(app)).toBe('not-authorized');
    await other.sync();
  });

  test('may come back by what its owner grants later', async () => {
    const [juliet] = await byPassword(OTHER_AGENT);
    await byOauth();
    await revoke(juliet, idOf(await listedTo(juliet), 'AwesomeXMPP'));
    const { end } = await bearer2(connect(), await provider.token({ iat: inSeconds(2) }), AGENT + BIND);
    expect(end.name).toBe('success');
  });

  test('does not by a token that is renewed, where that tells when its owner agreed', async () => {
    const [juliet] = await byPassword(OTHER_AGENT);
    const auth_time = inSeconds(-60);
    await byOauth(AGENT, { auth_time });
    await revoke(juliet, idOf(await listedTo(juliet), 'AwesomeXMPP'));
    const renewed = await provider.token({ iat: inSeconds(2), auth_time });
    expect((await bearer(connect(), renewed)).told?.status).toBe('invalid_token');
  });

  // a login to the resource that it had before writes nothing, so that nothing is found to be gone by that
  test.each([BIND, ''])(
    'is out, too, where it shows its token in that moment, on any node (with %j)',
    async (content) => {
      const [juliet] = await byPassword(OTHER_AGENT);
      const [app, login] = await byOauth(AGENT, {}, BIND + wantToken());
      const ours = tokenIn(login) ?? '';
      const [again] = await online((client) => show(client, ours, { content: BIND }));
      for (const client of [app, again]) client.break();
      await server.settled();
      const account = server.sessions[0]?.account as never;
      const access = server.node.offers.get(ClientAccess) as ClientAccess;
      const id = idOf(await listedTo(juliet), 'AwesomeXMPP');
      const read = ClientStore.prototype.text;
      vi.spyOn(ClientStore.prototype, 'text').mockImplementationOnce(async function (this: ClientStore, ...args) {
        const found = await read.apply(this, args);
        expect(await access.revoke(account, id)).toBe('done');
        return found;
      });
      const client = connect();
      const success = await show(client, ours, { content }).catch(() => undefined);
      // with a session nothing is said before that is looked at
      expect(success?.name).toBe(content === '' ? 'success' : undefined);
      if (content === '') client.send(`<iq type='set' id='b'><bind xmlns='${NS.bind}'/></iq>`);
      expect(await streamError(client)).toBe('not-authorized');
      await server.settled();
      expect((await listedTo(juliet)).map(({ software }) => software)).toEqual(['Another']);
      expect(conditionOf(await show(connect(), ours))).toBe('not-authorized');
    },
  );

  test.each<[string, string, (client: TestClient, content: string) => Promise<Element>]>([
    ['OAuth', '', async (client, content) => (await bearer2(client, await provider.token(), content)).end],
    ['OAuth', BIND, async (client, content) => (await bearer2(client, await provider.token(), content)).end],
    ['a password', '', (client, content) => plain2(client, 'juliet', 'secret', content)],
    ['a password', BIND, (client, content) => plain2(client, 'juliet', 'secret', content)],
  ])('is given no token by a login by %s that is under way then, on any node (with %j)', async (_, content, login) => {
    const access = server.node.offers.get(ClientAccess) as ClientAccess;
    const store = server.node.offers.get(ClientStore) as ClientStore;
    for (let i = 0; i < 3; i++) {
      const [app, first] = await online((client) => login(client, AGENT + BIND + wantToken()));
      expect(tokenIn(first)).toBeDefined();
      await app.close();
      await server.settled();
      const permit = Logins.prototype.permit;
      vi.spyOn(Logins.prototype, 'permit').mockImplementationOnce(async function (this: Logins, ...args) {
        await permit.apply(this, args); // nothing is against it yet
        const [known] = await access.list(args[1]);
        expect(await access.revoke(args[1], known?.id ?? '', { forced: true })).toBe('done');
      });
      const client = connect();
      const success = await login(client, AGENT + content + wantToken()).catch(() => undefined);
      expect(success && tokenIn(success)).toBeUndefined();
      client.break();
      await server.settled();
      expect(await store.all(Jid.parse('juliet@localhost'))).toEqual(new Map());
      await server.keyspace.del(revokedGrantKeys.key('juliet@localhost')); // it is granted anew
    }
  });

  test('gets the result first, where it is itself', async () => {
    await start({}, { permission: 'unrestricted' });
    const [app] = await byOauth();
    expect(outcomeOf(await revoke(app, idOf(await listedTo(app), 'AwesomeXMPP')))).toBe('result');
    expect(await streamError(app)).toBe('not-authorized');
  });
});

describe('nobody is shut out', () => {
  test('who knows the password, before that is another one', async () => {
    const [juliet] = await byPassword();
    const [, success] = await byPassword(OTHER_AGENT, BIND + wantToken());
    const refused = await revoke(juliet, idOf(await listedTo(juliet), 'Another'));
    expect(outcomeOf(refused)).toBe('service-unavailable');
    expect(refused.child('error')?.child('password-reset-required', CAM)).toBeDefined();
    expect(refused.child('error')?.attr('type')).toBe('cancel');
    expect((await show(connect(), tokenIn(success) ?? '', { agent: OTHER_AGENT })).name).toBe('success');
  });

  test('whom nobody knows', async () => {
    const [juliet] = await byPassword();
    expect(outcomeOf(await revoke(juliet, 'nobody'))).toBe('item-not-found');
    expect(outcomeOf(await revoke(juliet, ''))).toBe('bad-request');
    const romeo = await server.client('romeo@localhost/orchard');
    const id = idOf(await listedTo(juliet), 'AwesomeXMPP');
    expect(outcomeOf(await revoke(romeo, id))).toBe('item-not-found');
  });

  test('by a client that was let in for everyday use, which changes no password and removes no account either', async () => {
    const [app, success] = await byOauth(AGENT, {}, BIND + wantToken());
    const [juliet] = await byPassword(OTHER_AGENT);
    const id = idOf(await listedTo(app), 'Another');
    const attempts = [
      `<revoke xmlns='${CAM}' id='${id}'/>`,
      `<query xmlns='${NS.register}'><username>juliet</username><password>mine</password></query>`,
      `<query xmlns='${NS.register}'><remove/></query>`,
    ];
    const [back] = await online((client) => show(client, tokenIn(success) ?? '', { content: BIND }));
    for (const content of attempts) expect(outcomeOf(await back.request('set', content))).toBe('forbidden');
    await juliet.sync();
  });
});

test('an administrator ends one client, or all, whatever they came by', async () => {
  const [, success] = await byPassword(AGENT, BIND + wantToken());
  const [app] = await byOauth(OTHER_AGENT);
  const named = await server.client('juliet@localhost/balcony');
  const access = server.node.offers.get(ClientAccess) as ClientAccess;
  const account = server.sessions[0]?.account as never;
  const [first] = (await access.list(account)).filter(({ software }) => software === 'AwesomeXMPP');
  expect(await access.revoke(account, first?.id ?? '', { forced: true })).toBe('done');
  expect(conditionOf(await show(connect(), tokenIn(success) ?? ''))).toBe('not-authorized');
  await app.sync();
  await access.revokeAll(account);
  for (const client of [app, named]) expect(await streamError(client)).toBe('not-authorized');
  await server.settled();
  expect(await access.list(account)).toEqual([]);
  const granted = await provider.token({ iat: inSeconds(-5) });
  expect((await bearer(connect(), granted)).told?.status).toBe('invalid_token');
  const again = connect();
  sendAuth(again, 'PLAIN', Buffer.from('\0juliet\0secret').toString('base64'));
  expect((await answer(again)).name).toBe('success');
});

test('as many clients are remembered as are to be', async () => {
  await start({ clients: { most: 2 } });
  for (const digit of ['a', 'b', 'c']) {
    const [client] = await byOauth(AGENT.replace('d4565fa7', digit.repeat(8)).replace('Awesome', digit));
    await client.close();
    await server.settled();
  }
  const [juliet] = await byPassword();
  expect((await listedTo(juliet)).map(({ software }) => software)).toEqual(['AwesomeXMPP', 'cXMPP']);
});
