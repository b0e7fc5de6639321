import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it, onTestFinished, vi } from 'vitest';
import { taken } from '../../scripts/demo/ports.ts';
import type { TestClient } from '../support/client.ts';
import { features, plain } from '../support/login.ts';
import { encrypted } from '../support/network.ts';
import { enable } from '../support/resumption.ts';
import { Demonstration, freeOffset, runs, shell } from './demonstration.ts';

const PATIENCE = { interval: 50 };

const says = (to: string, body: string) => `<message to='${to}' type='chat'><body>${body}</body></message>`;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'parley demo '));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** Somebody who has logged in through HAProxy, and bound nothing yet. */
async function loggedIn(port: number, name: string, password: string): Promise<TestClient> {
  // clients that are refused come again: HAProxy may not have noticed yet who is dead, or a node have its hands full
  const client = await vi.waitFor(() => encrypted(port), PATIENCE);
  const end = await plain(client, name, password);
  if (end.name !== 'success') throw new Error(`${name} does not get in: ${end}`);
  await features(client);
  return client;
}

/** And is there, with a session that can be resumed by this id. */
async function appear(port: number, name: string, password: string): Promise<{ client: TestClient; id: string }> {
  const client = await loggedIn(port, name, password);
  await client.request('set', `<bind xmlns='${NS.bind}'><resource>test</resource></bind>`);
  client.jid = `${name}@localhost/test`;
  const id = (await enable(client)).attr('id') ?? '';
  client.send('<presence/>');
  await client.sync();
  return { client, id };
}

/** How many clients HAProxy has led to each node, by its page: the fifth column is `scur`. */
async function connections(page: number): Promise<number[]> {
  const table = await (await fetch(`http://127.0.0.1:${page}/;csv`)).text();
  return Array.from(table.matchAll(/^nodes,node\d,\d*,\d*,(\d+),/gm), ([, count]) => Number(count));
}

/** On the node that has nobody, when the other one has a single client. */
async function appearElsewhere({ ports }: Demonstration, name: string, password: string) {
  for (;;) {
    await vi.waitFor(async () => expect((await connections(ports.page)).toSorted()).toEqual([0, 1]), PATIENCE);
    const appeared = await appear(ports.clients, name, password);
    if (!(await connections(ports.page)).includes(0)) return appeared;
    appeared.client.break(); // one of the nodes has much to do since it has just started
  }
}

/** The command succeeds; gives what it prints. */
async function done(command: string): Promise<string> {
  const { code, stdout, stderr } = await shell(command);
  expect({ command, code, stderr: code === 0 ? '' : stderr }).toEqual({ command, code: 0, stderr: '' });
  return stdout;
}

it('starts a cluster, in which everything works that it offers to try, and leaves nothing running', async () => {
  const path = folder();
  const offset = await freeOffset();
  const demo = new Demonstration(path, offset);
  await demo.ready();
  const { clients } = demo.ports;
  const pids = demo.pids;
  expect(pids.map(runs)).toEqual(Array(7).fill(true));

  // another one says what is in its way
  const second = new Demonstration(folder(), offset);
  expect(await second.exited).toBe(1);
  expect(second.said).toContain(`Something else listens on port ${clients}, ${demo.ports.clientsTls}`);
  expect(second.said).toContain('--port-offset');

  // a foreign client, which trusts the certificate, as it is shown
  const [tell = ''] = demo.commands(/^Tell her something/);
  const { client: alice, id } = await appear(clients, 'alice', 'wonderland');
  await done(tell);
  expect((await alice.nextMessage()).childText('body')).toBe('Hello');

  const dora = await appearElsewhere(demo, 'dora', 'copperfield');
  const [status = '', directory = ''] = demo.commands(/^Who is there/);
  // nodes tell each other now and then
  await vi.waitFor(
    async () => expect(await done(status)).toMatch(/node1 .*, 1 session\n +node2, .*, 1 session\n/),
    PATIENCE,
  );
  expect(await done(directory)).toContain('All of it works.');
  alice.send(says('dora@localhost', 'across nodes'));
  expect((await dora.client.nextMessage()).childText('body')).toBe('across nodes');
  await alice.sync();

  // a node is killed: whoever was there goes on at the other one, with what was said meanwhile
  const [kill = ''] = demo.commands(/^Kill a node/);
  const gone = [
    { mine: alice, id, name: 'alice', password: 'wonderland', other: dora.client },
    { mine: dora.client, id: dora.id, name: 'dora', password: 'copperfield', other: alice },
  ].map(async (each) => {
    await each.mine.closed;
    return each;
  });
  await done(kill);
  const victim = await Promise.race(gone);
  victim.other.send(says(`${victim.name}@localhost`, 'while you were away'));
  const back = await loggedIn(clients, victim.name, victim.password);
  back.jid = victim.mine.jid;
  back.send(`<resume xmlns='${NS.streamManagement}' previd='${victim.id}' h='1'/>`);
  const answer = await back.take(({ ns, name }) => ns === NS.streamManagement && /^(resumed|failed)$/.test(name));
  expect(String(answer)).toContain(`<resumed `);
  const bodies = [(await back.nextMessage()).childText('body')];
  while (bodies.at(-1) !== 'while you were away') bodies.push((await back.nextMessage()).childText('body'));

  // somebody is added to the directory, another one locked
  await done(demo.commands(/^Add Carol/).join('\n'));
  const carol = await appear(clients, 'carol', 'prairie');
  carol.client.send(says('emil@localhost', 'hello'));
  const [lock = '', unlock = ''] = demo.commands(/^Lock Bob/);
  const bob = await appear(clients, 'bob', 'pickwick');
  await done(lock);
  await bob.client.closed;
  await expect(loggedIn(clients, 'bob', 'pickwick')).rejects.toThrow('does not get in');
  await done(unlock);
  (await loggedIn(clients, 'bob', 'pickwick')).break();

  // the node is back by itself, and all who watch see so
  await demo.says(/^node1 is back, as process \d+\.$/m);
  const [mib = '', walk = ''] = demo.commands(/^Walk /);
  await done(mib);
  await vi.waitFor(async () => expect(await done(walk)).toMatch(/xmppNodeState\.2 = INTEGER: up/), PATIENCE);
  const [sessions = '', states = ''] = demo.commands(/^Ask Prometheus/);
  await vi.waitFor(async () => expect(await done(states)).toContain('{state="up"} => 2 '), PATIENCE);
  expect(await done(sessions)).toMatch(/^\{instance="127\.0\.0\.1:\d+"\} => \d/m);

  // Ctrl-C
  demo.signal('SIGINT');
  expect(await demo.exited).toBe(0);
  expect(demo.said).toMatch(/All of it has stopped\.\n$/);
  expect(pids.filter(runs)).toEqual([]);
  expect(await taken(demo.ports)).toEqual([]);

  // it goes on with what it had, tells of a part that dies, and where it is killed itself nothing of it is left either
  const again = new Demonstration(path, offset);
  await again.ready();
  (await loggedIn(clients, 'carol', 'prairie')).break();
  const [, openldap] = await again.says(/^ {2}openldap +process (\d+)$/m);
  process.kill(Number(openldap), 'SIGABRT');
  await again.says(
    new RegExp(`^openldap \\(process ${openldap}\\) has ended: SIGABRT\\. It starts again in 10 s\\.\n  `, 'm'),
  );
  again.signal('SIGKILL');
  await again.exited;
  await vi.waitFor(() => expect(again.pids.filter(runs)).toEqual([]), PATIENCE);
});
