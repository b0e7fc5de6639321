import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { conditionOf, plain, scram } from '../support/login.ts';
import { login, startDirectoryServer, stranger } from './server.ts';

/** The time in which somebody is told to come again later: five seconds, on a machine that has nothing else to do. */
const SOON_MS = 15_000;

const BIND = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`;

async function inTime(attempt: Promise<string>): Promise<string> {
  const begun = performance.now();
  const outcome = await attempt;
  expect(performance.now() - begun).toBeLessThan(SOON_MS);
  return outcome;
}

const byPlain = async (server: Parameters<typeof login>[0], password = 'pw-romeo') =>
  (await login(server, 'romeo', password))[0];

test.each([
  ['is killed', (slapd: Slapd) => slapd.kill(), (slapd: Slapd) => slapd.restart()],
  ['says nothing any more', (slapd: Slapd) => slapd.halt(), async (slapd: Slapd) => slapd.goOn()],
])('while the directory %s nobody new gets in, who is in stays, and all recovers', async (_, away, back) => {
  const slapd = await Slapd.start();
  const server = await startDirectoryServer(slapd, { directory: { passwords: { scram: 'relay' } } });
  const romeo = stranger(server);
  await plain(romeo, 'romeo', 'pw-romeo');
  await romeo.request('set', BIND);
  romeo.send('<presence/>');
  await away(slapd);
  const attempts = [
    byPlain(server),
    byPlain(server, 'wrong'),
    login(server, 'rosaline', 'wrong').then(([condition]) => condition),
    scram(stranger(server), { username: 'romeo', password: 'pw-romeo', hash: 'SHA-256' }).then(conditionOf),
  ];
  for (const attempt of attempts) expect(await inTime(attempt)).toBe('temporary-auth-failure');
  romeo.send(`<message to='romeo@localhost'><body>still here</body></message>`);
  expect((await romeo.take(({ name }) => name === 'message')).childText('body')).toBe('still here');
  expect(server.log.filter(({ event }) => event === 'node.fault')).toEqual([]);
  await back(slapd);
  // a server that failed is asked again after a moment
  await expect.poll(() => byPlain(server), { interval: 100 }).toBe('success');
});

test('the directory that goes in the middle of a login is away', async () => {
  const slapd = await Slapd.start();
  const sockets = new Set<Socket>();
  let answers = Number.POSITIVE_INFINITY;
  // between the server and slapd: what the directory says is cut off after so many answers
  const between = createServer((socket) => {
    const upstream = connect(slapd.port, '127.0.0.1');
    for (const each of [socket, upstream]) {
      sockets.add(each);
      each.on('error', () => {});
    }
    socket.pipe(upstream);
    upstream.on('data', (data) => {
      if (answers-- > 0) socket.write(data);
      else socket.destroy();
    });
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  }).listen(0, '127.0.0.1');
  await once(between, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    between.close();
  });
  const { port } = between.address() as { port: number };
  const directory = { servers: [`ldap://localhost:${port}`], startTls: false, allowUnencrypted: true };
  const server = await startDirectoryServer(slapd, { directory });
  expect(await byPlain(server)).toBe('success');
  // before the person is found, and before the password is looked at
  for (const after of [0, 1]) {
    answers = after;
    expect(await inTime(byPlain(server))).toBe('temporary-auth-failure');
    answers = Number.POSITIVE_INFINITY;
    await expect.poll(() => byPlain(server), { interval: 100 }).toBe('success');
  }
});
