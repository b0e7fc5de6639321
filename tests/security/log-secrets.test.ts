import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { formatScramVerifier, scramHashes } from '@parley/xmpp/sasl/scram-verifier';
import { expect, test } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { base64, conditionOf, features, plain, scram } from '../support/login.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { formsOf, found } from './secret-forms.ts';

// Each is a word that nothing else says.
const RIGHT = 'Chr0matic-Wherefore';
const NEXT = 'Pl4giarised-Balcony';
const WRONG = 'Tyb4lt-Prince-of-Cats';
const BODY = 'It-is-the-East';

const ALL = {
  registration: { inBand: true },
  authentication: { legacy: true },
  limits: { logins: { delaySeconds: 0, failuresPerStream: 100 }, sessions: { perAccount: 2 } },
};

async function opened(server: TestServer): Promise<TestClient> {
  const client = server.connect();
  client.open('localhost');
  await features(client);
  return client;
}

/** Sends, and waits until the server has ended the stream or answered. */
async function sendRaw(server: TestServer, text: string): Promise<void> {
  const client = await opened(server);
  client.send(text);
  await client.next();
}

/** Registers, logs in and fails to in every way, changes the password, and does it all wrongly, too. */
async function everything(server: TestServer): Promise<void> {
  const stranger = await opened(server);
  const query = (content: string) => `<query xmlns='${NS.register}'>${content}</query>`;
  const registered = await stranger.request('set', query(`<username>juliet</username><password>${RIGHT}</password>`));
  expect(registered.attr('type')).toBe('result');
  for (const again of [
    `<username>juliet</username><password>${RIGHT}</password>`,
    `<username>@</username><password>${WRONG}</password>`,
    `<username>x</username><password>${WRONG}\u0009</password>`,
  ]) {
    await (await opened(server)).request('set', query(again)).catch(() => undefined);
  }

  for (const password of [RIGHT, WRONG]) {
    const success = password === RIGHT ? 'success' : 'not-authorized';
    expect(conditionOf(await plain(await opened(server), 'juliet', password))).toBe(success);
    expect(conditionOf(await plain(await opened(server), 'juliet', password, 'romeo@localhost'))).toBe(
      'invalid-authzid',
    );
    for (const hash of scramHashes) {
      expect(conditionOf(await scram(await opened(server), { hash, username: 'juliet', password }))).toBe(success);
    }
    const legacy = `<query xmlns='${NS.iqAuth}'><username>juliet</username><password>${password}</password><resource>old</resource></query>`;
    const client = await opened(server);
    expect((await client.request('set', legacy)).attr('type')).toBe(password === RIGHT ? 'result' : 'error');
    await client.close();
  }

  // what is wrong in other ways than the password
  const auth = (content: string, mechanism = 'PLAIN') =>
    `<auth xmlns='${NS.sasl}' mechanism='${mechanism}'>${content}</auth>`;
  await sendRaw(server, auth(WRONG));
  await sendRaw(server, auth(base64(WRONG)));
  await sendRaw(server, auth(base64(`\0juliet\0${WRONG}\0`)));
  await sendRaw(server, auth(base64(`\0jul@iet\0${WRONG}`)));
  await sendRaw(server, auth(base64(`\0juliet\0${WRONG}`), WRONG));
  await sendRaw(server, auth(`&${WRONG};`));
  await sendRaw(server, auth(`<${WRONG}/>`));
  await sendRaw(server, auth(`<${WRONG}:a/>`));
  await sendRaw(server, auth(`</${WRONG}>`));
  await sendRaw(server, `${WRONG}<a/>`);
  await sendRaw(server, `<a ${WRONG}='' ${WRONG}=''/>`);
  await sendRaw(server, `<a xmlns:${WRONG}=''/>`);
  await sendRaw(server, `<a:${WRONG}:b/>`);
  await sendRaw(server, `<!DOCTYPE ${WRONG}>`);
  await sendRaw(server, auth(base64(`\0juliet\0${WRONG}`.repeat(1000))));
  await sendRaw(server, `<${WRONG} xmlns='${NS.sasl}'/>`);
  await sendRaw(
    server,
    `<iq type='set' id='1'><query xmlns='${NS.register}'><username>a</username><password>${WRONG}</query></iq>`,
  );

  // a session, which the new password ends
  const session = await opened(server);
  await plain(session, 'juliet', RIGHT);
  await features(session);
  await session.request('set', `<bind xmlns='${NS.bind}'/>`);
  session.send(
    `<message to='juliet@localhost'><body>${BODY}</body></message><message to='nobody@localhost'><body>${BODY}</body></message>`,
  );
  expect(
    (await session.request('set', query(`<username>juliet</username><password>${NEXT}</password>`))).attr('type'),
  ).toBe('result');
  expect(conditionOf(await plain(await opened(server), 'juliet', NEXT))).toBe('success');
  await session.close();
}

async function secretsOf(server: TestServer): Promise<string[]> {
  const juliet = Jid.parse('juliet@localhost');
  const secrets = [RIGHT, NEXT, WRONG, RIGHT.slice(0, 9), NEXT.slice(0, 9), WRONG.slice(0, 9), BODY].flatMap(formsOf);
  secrets.push(...[RIGHT, NEXT, WRONG].flatMap((password) => formsOf(`\0juliet\0${password}`)));
  for (const hash of scramHashes) {
    const verifier = await server.accounts.verifier(juliet, hash);
    if (verifier === undefined) throw new Error('There is no verifier.');
    secrets.push(formatScramVerifier(verifier));
    for (const key of [verifier.storedKey, verifier.serverKey, verifier.salt]) secrets.push(...formsOf(key));
  }
  secrets.push(...formsOf(server.node.config.cluster.secret ?? 'none'));
  return secrets;
}

test.each(['debug', 'info'] as const)(
  'at the level %s the log holds no password, no SASL message, no key and no text',
  async (logLevel) => {
    const server = await startServer({ logLevel, config: ALL });
    await everything(server);
    const log = server.log.map((line) => JSON.stringify(line)).join('\n');
    const events = new Set(server.log.map(({ event }) => event));
    expect([...events]).toEqual(expect.arrayContaining(['account.registered', 'login.failed', 'session.bound']));
    if (logLevel === 'debug') expect([...events]).toEqual(expect.arrayContaining(['login.succeeded', 'stream.error']));
    expect(found(log, await secretsOf(server))).toEqual([]);
  },
);

test('what is looked for would be found', async () => {
  const server = await startServer({ config: ALL });
  await server.accounts.create?.(Jid.parse('juliet@localhost'), RIGHT);
  const secrets = await secretsOf(server);
  const verifier = await server.accounts.verifier(Jid.parse('juliet@localhost'), 'SHA-256');
  for (const line of [`the password ${RIGHT}`, base64(`\0juliet\0${WRONG}`), verifier?.storedKey.toString('base64')]) {
    expect(found(JSON.stringify({ line }), secrets), line).not.toEqual([]);
  }
});
