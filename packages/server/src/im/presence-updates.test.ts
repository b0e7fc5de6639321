import { createHook } from 'node:async_hooks';
import { KeyspaceError, type KeyspaceFailure } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import { describe, expect, it } from 'vitest';
import { RemoteDomain } from '../../../../tests/support/remote-domain.ts';
import { startServer } from '../../../../tests/support/server.ts';
import { defineModule } from '../module.ts';
import presence from './presence.ts';
import roster from './roster.ts';
import { RosterStore } from './roster-store.ts';
import type { Subscription } from './subscription-state.ts';

const JULIET = 'juliet@localhost/balcony';
const contact = (subscription: Subscription) => ({
  subscription,
  ask: false,
  approved: false,
  name: undefined,
  groups: [],
});

/** A server whose keyspace does not answer while `fail` or `hold` says so. */
async function start() {
  let store: RosterStore | undefined;
  let held: Promise<void> | undefined;
  let failure: KeyspaceFailure | undefined;
  const access = defineModule({
    name: 'access',
    setup(context) {
      store = context.use(RosterStore);
      const get = store.get.bind(store);
      store.get = (account) => {
        if (failure !== undefined) return Promise.reject(new KeyspaceError(failure, 'It cannot be read.'));
        return held === undefined ? get(account) : held.then(() => get(account));
      };
    },
  });
  const server = await startServer({ modules: [roster, access, presence] });
  const remote = new RemoteDomain(server, 'remote.example');
  const add = (account: string, to: string, subscription: Subscription) =>
    (store as RosterStore).change(Jid.parse(account), Jid.parse(to), () => ({ item: contact(subscription) }));
  return {
    server,
    remote,
    add,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
    fail(how?: KeyspaceFailure) {
      failure = how;
    },
  };
}

describe('presence of somebody with contacts elsewhere', () => {
  it('goes there, with probes at first, and in the end', async () => {
    const { server, remote, add } = await start();
    await add('juliet@localhost', 'from@remote.example', 'from');
    await add('juliet@localhost', 'to@remote.example', 'to');
    await add('juliet@localhost', 'none@remote.example', 'none');
    const juliet = await server.online(JULIET, '<presence><show>away</show></presence>');
    expect(remote.taken()).toEqual([
      `<presence to='from@remote.example' from='${JULIET}'><show>away</show></presence>`,
      `<presence to='to@remote.example' from='${JULIET}' type='probe'/>`,
    ]);
    juliet.send('<presence/>');
    await juliet.sync();
    expect(remote.taken()).toEqual([`<presence to='from@remote.example' from='${JULIET}'/>`]);
    juliet.send(`<presence to='none@remote.example/x'/>`);
    await juliet.close();
    expect(remote.taken()).toEqual([
      `<presence to='none@remote.example/x' from='${JULIET}'/>`,
      `<presence to='from@remote.example' from='${JULIET}' type='unavailable'/>`,
      `<presence to='none@remote.example/x' from='${JULIET}' type='unavailable'/>`,
    ]);
  });

  it('goes no more to whoever answers with an error', async () => {
    const { server, remote, add } = await start();
    await add('juliet@localhost', 'from@remote.example', 'from');
    const juliet = await server.online(JULIET);
    remote.taken();
    juliet.send(`<presence to='stranger@remote.example'/>`);
    await juliet.sync();
    for (const from of ['from', 'stranger']) {
      await remote.send(`<presence from='${from}@remote.example' to='${JULIET}' type='error'/>`);
    }
    remote.taken();
    await juliet.close();
    expect(remote.taken()).toEqual([]); // of no address that says it cannot take presence
  });
});

it('makes no promise where the roster is known', async () => {
  const { server, add } = await start();
  const clients = [];
  for (const name of ['juliet', 'romeo', 'nurse']) {
    for (const other of ['juliet', 'romeo', 'nurse']) {
      if (other !== name) await add(`${name}@localhost`, `${other}@localhost`, 'both');
    }
    clients.push(await server.online(`${name}@localhost/x`));
  }
  for (const client of clients) await client.sync();
  let promises = 0;
  const hook = createHook({ init: (_, type) => void (type === 'PROMISE' && promises++) }).enable();
  clients[0]?.send('<presence><show>away</show></presence>');
  const during = promises;
  void Promise.resolve().then(() => {});
  hook.disable();
  expect(promises - during).toBeGreaterThan(0); // so the count is a true one
  expect(during).toBe(0);
  for (const client of clients)
    expect((await client.nextPresence('juliet@localhost/x')).childText('show')).toBe('away');
});

describe('while the roster is read', () => {
  it('a session that ends was never announced', async () => {
    const { server, remote, add, hold } = await start();
    await add('juliet@localhost', 'both@remote.example', 'both');
    const juliet = await server.client(JULIET);
    const release = hold();
    juliet.send('<presence/>');
    juliet.break();
    await juliet.closed;
    release();
    await server.online('nurse@localhost/x');
    expect(remote.taken()).toEqual([]);
  });

  it('what follows waits its turn', async () => {
    const { server, remote, add, hold } = await start();
    await add('juliet@localhost', 'from@remote.example', 'from');
    const juliet = await server.client(JULIET);
    const release = hold();
    juliet.send(`<presence id='1'/><presence id='2' type='unavailable'/><presence id='3'/>`);
    expect(remote.taken()).toEqual([]);
    release();
    await juliet.sync();
    expect(remote.taken().map((xml) => /id='(.)'/.exec(xml)?.[1])).toEqual(['1', '2', '3']);
  });
});

it('is initial again where the roster could not be read', async () => {
  const { server, remote, add, fail } = await start();
  await add('juliet@localhost', 'both@remote.example', 'both');
  const juliet = await server.client(JULIET);
  fail('refused');
  juliet.send(`<presence id='x'/>`);
  expect((await juliet.next()).attr('type')).toBe('error');
  fail();
  juliet.send('<presence/>');
  await juliet.sync();
  expect(remote.taken()).toEqual([
    `<presence to='both@remote.example' from='${JULIET}'/>`,
    `<presence to='both@remote.example' from='${JULIET}' type='probe'/>`,
  ]);
});

it('waits for a keyspace that is away: nobody sends it twice', async () => {
  const { server, remote, add, fail } = await start();
  await add('juliet@localhost', 'both@remote.example', 'both');
  const juliet = await server.client(JULIET);
  fail('away');
  juliet.send('<presence/>');
  fail();
  expect(await juliet.next()).toMatchObject({ name: 'presence' });
  await juliet.sync();
  expect(remote.taken()).toHaveLength(2);
});

it('is told to have ended as soon as the roster can be read', async () => {
  const { server, remote, add, fail } = await start();
  await add('juliet@localhost', 'both@remote.example', 'both');
  const juliet = await server.online(JULIET);
  remote.taken();
  const ended: string[] = [];
  server.node.hooks.events.on('presence.unavailable', ({ jid }) => void ended.push(String(jid)));
  const { log } = server;
  fail('away');
  juliet.send(`<presence type='unavailable'/>`);
  expect([server.sessionOf(JULIET).available, ended, remote.taken()]).toEqual([false, [JULIET], []]);
  fail();
  await juliet.sync();
  expect(remote.taken()).toEqual([`<presence to='both@remote.example' from='${JULIET}' type='unavailable'/>`]);
  expect(log.filter(({ event }) => event === 'node.fault')).toEqual([]);
});

it('ends for those who ask inside the server though nobody was told of its beginning', async () => {
  const { server, fail } = await start();
  const juliet = await server.client(JULIET);
  const ended: string[] = [];
  server.node.hooks.events.on('presence.unavailable', ({ jid }) => void ended.push(String(jid)));
  fail('refused');
  juliet.send(`<presence id='x'/>`);
  expect((await juliet.next()).attr('type')).toBe('error');
  juliet.send(`<presence type='unavailable'/>`);
  await juliet.sync();
  expect(ended).toEqual([JULIET]);
});

it('of a session whose node is gone, others tell that it is', async () => {
  const { server, remote, add } = await start();
  await add('juliet@localhost', 'from@remote.example', 'from');
  await add('juliet@localhost', 'to@remote.example', 'to');
  const chamber = await server.online('juliet@localhost/chamber');
  remote.taken();
  const directed = ['from@remote.example', 'room@remote.example/juliet'].map((jid) => Jid.parse(jid));
  await server.node.hooks.events.emit('session.lost', Jid.parse(JULIET), directed);
  expect(remote.taken()).toEqual([
    `<presence to='from@remote.example' from='${JULIET}' type='unavailable'/>`,
    `<presence to='room@remote.example/juliet' from='${JULIET}' type='unavailable'/>`,
  ]);
  const presence = await chamber.take(
    (element) => element.name === 'presence' && element.attr('type') === 'unavailable',
  );
  expect(presence.attr('from')).toBe(JULIET);
});
