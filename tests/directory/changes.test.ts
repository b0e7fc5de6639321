// What changes in the directory, as people see it who are logged in on nodes of a cluster.
import { expect, test } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { PEOPLE, personDn, personEntry, SERVICE } from '../services/slapd-files.ts';
import type { TestClient } from '../support/client.ts';
import { features, plain } from '../support/login.ts';
import { encrypted } from '../support/network.ts';
import { startThreeNodes } from '../support/three-nodes.ts';

const NS_STREAMS = 'http://etherx.jabber.org/streams';
const DISABLED = { pwdAccountLockedTime: ['000001010000Z'] };
/** As the directory writes a moment, so many milliseconds from now. */
const time = (ms: number) => `${new Date(Date.now() + ms).toISOString().replace(/[-:T]|\.\d+Z/g, '')}Z`;
/** The time in which a change has its effect everywhere. */
const SOON_MS = 15_000;

async function logIn(port: number, local: string): Promise<TestClient> {
  const client = await encrypted(port);
  expect((await plain(client, local, `pw-${local}`)).name).toBe('success');
  await features(client);
  await client.request('set', `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`);
  client.send('<presence/>');
  return client;
}

/** Why the stream ends, in the server's words. */
async function farewell(client: TestClient): Promise<string> {
  const error = await client.take(({ name, ns }) => name === 'error' && ns === NS_STREAMS);
  await client.closed;
  return error.elements.map(({ name, text }) => text || name).join(': ');
}

test('whoever is disabled, locked, expired, removed or moved is logged out on every node within two seconds', async () => {
  const slapd = await Slapd.start();
  const nodes = await startThreeNodes([], {
    authentication: { accounts: ['corp'] },
    directories: [
      {
        name: 'corp',
        servers: [slapd.url],
        authorities: slapd.authorities,
        bind: { dn: SERVICE.dn, password: SERVICE.password },
        people: { base: PEOPLE },
      },
    ],
  });
  const follower = await Promise.race(
    nodes.map(async (each) => each.node.event('directory.followed').then(() => each)),
  );
  const others = nodes.filter((each) => each !== follower);
  const [second, third] = others;
  if (second === undefined || third === undefined) throw new Error('There are not three nodes.');

  const romeos = await Promise.all(nodes.map(({ port }) => logIn(port, 'romeo')));
  const tybalt = await logIn(third.port, 'tybalt');
  const juliet = await logIn(second.port, 'juliet');
  let begun = performance.now();
  await slapd.modify(personDn('romeo'), DISABLED);
  for (const each of romeos) expect(await farewell(each)).toMatch(/^not-authorized: /);
  await slapd.modify(personDn('tybalt'), { mail: ['prince@localhost'] });
  expect(await farewell(tybalt)).toContain('prince@localhost');
  expect(performance.now() - begun).toBeLessThan(SOON_MS);
  const [nurse, benvolio] = await Promise.all([logIn(second.port, 'nurse'), logIn(third.port, 'benvolio')]);
  begun = performance.now();
  await slapd.modify(personDn('nurse'), { pwdAccountLockedTime: [time(-1000)] });
  await slapd.modify(personDn('benvolio'), { pwdEndTime: [time(-1000)] });
  expect(await farewell(nurse)).toMatch(/^not-authorized: .*locked/);
  expect(await farewell(benvolio)).toMatch(/^not-authorized: /);
  expect(performance.now() - begun).toBeLessThan(SOON_MS);

  // whoever is new is there for those who write to them, without a login
  await slapd.change(personEntry('paris', 'Escalus'));
  juliet.send(`<message to='paris@localhost'><body>hail</body></message>`);
  expect((await juliet.sync()).filter(({ name }) => name === 'message')).toEqual([]);

  // the node that follows the directory dies: another one takes over, from where that one was
  const followed = Promise.race(others.map(({ node }) => node.nextEvent('directory.followed')));
  await follower.node.kill();
  await slapd.remove(personDn('juliet'));
  await followed;
  expect(await farewell(juliet)).toMatch(/^not-authorized: .*not in the directory/);
  const mercutio = await logIn(third.port, 'mercutio');
  begun = performance.now();
  await slapd.modify(personDn('mercutio'), DISABLED);
  await farewell(mercutio);
  expect(performance.now() - begun).toBeLessThan(SOON_MS);
  for (const { node } of others) expect(node.log.filter(({ event }) => event === 'node.fault')).toEqual([]);
});
