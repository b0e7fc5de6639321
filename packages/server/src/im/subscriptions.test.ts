import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, it } from 'vitest';
import { roster as askRoster, send } from '../../../../tests/support/contacts.ts';
import { RemoteDomain } from '../../../../tests/support/remote-domain.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';
import { defineModule } from '../module.ts';
import presence from './presence.ts';
import roster from './roster.ts';
import { RosterStore } from './roster-store.ts';
import subscription from './subscription.ts';

const JULIET = Jid.parse('juliet@localhost');
const ROMEO = Jid.parse('romeo@remote.example');
const balcony = 'juliet@localhost/balcony';

let server: TestServer;
let remote: RemoteDomain;
let store: RosterStore;
let changed: string[];

beforeEach(async () => {
  changed = [];
  const user = defineModule({
    name: 'user',
    setup(context) {
      store = context.use(RosterStore);
      context.hooks.events.on('roster.changed', (account, contact) => void changed.push(`${account} ${contact}`));
    },
  });
  server = await startServer({ modules: [roster, subscription, presence, user] });
  remote = new RemoteDomain(server, 'remote.example');
  await server.account('juliet@localhost');
});

const fromRemote = (type: string, from = 'romeo@remote.example', to = 'juliet@localhost', content = '') =>
  remote.send(`<presence from='${from}' to='${to}' type='${type}'>${content}</presence>`);

/** What is kept of the relation, in few words. */
async function state(): Promise<string> {
  const kept = await store.get(JULIET);
  const item = kept.get(ROMEO);
  const marks = [item?.ask && 'ask', item?.approved && 'approved', kept.requests.has(ROMEO.bareText) && 'waits'];
  return [item?.subscription ?? '-', ...marks.filter(Boolean)].join(' ');
}

describe('with somebody of another server', () => {
  it('a subscription is asked for and granted', async () => {
    const juliet = await server.online(balcony);
    send(juliet, 'subscribe', 'romeo@remote.example/orchard', '<status>Hi</status>');
    await juliet.sync();
    expect(remote.taken()).toEqual([
      `<presence to='romeo@remote.example' from='juliet@localhost' type='subscribe'><status>Hi</status></presence>`,
    ]);
    expect(await state()).toBe('none ask');
    await fromRemote('subscribed', 'romeo@remote.example/orchard');
    expect(await state()).toBe('to');
    expect(changed).toEqual([`juliet@localhost romeo@remote.example`, `juliet@localhost romeo@remote.example`]);
  });

  it('a subscription is granted to them, and presence follows', async () => {
    const juliet = await server.online(balcony, '<presence><show>chat</show></presence>');
    await fromRemote('subscribe', 'romeo@remote.example/orchard', balcony);
    expect(await state()).toBe('- waits');
    expect((await juliet.nextPresence('romeo@remote.example')).attr('to')).toBe('juliet@localhost');
    send(juliet, 'subscribed', 'romeo@remote.example');
    await juliet.sync();
    expect(await state()).toBe('from');
    expect(remote.taken()).toEqual([
      `<presence to='romeo@remote.example' from='juliet@localhost' type='subscribed'/>`,
      `<presence to='romeo@remote.example' from='${balcony}'><show>chat</show></presence>`,
    ]);
    await fromRemote('subscribe');
    expect(remote.taken()).toHaveLength(2); // the same again
    send(juliet, 'unsubscribed', 'romeo@remote.example');
    await juliet.sync();
    expect(remote.taken()).toEqual([
      `<presence to='romeo@remote.example' from='${balcony}' type='unavailable'/>`,
      `<presence to='romeo@remote.example' from='juliet@localhost' type='unsubscribed'/>`,
    ]);
  });

  it('they end it themselves', async () => {
    const juliet = await server.online(balcony);
    await fromRemote('subscribe');
    send(juliet, 'subscribed', 'romeo@remote.example');
    await juliet.sync();
    remote.taken();
    await fromRemote('unsubscribe', 'romeo@remote.example/orchard');
    expect(await state()).toBe('none');
    expect(remote.taken()).toEqual([`<presence to='romeo@remote.example' from='${balcony}' type='unavailable'/>`]);
  });

  it('nothing follows from what nobody asked for', async () => {
    for (const type of ['subscribed', 'unsubscribe', 'unsubscribed']) await fromRemote(type);
    expect([await state(), remote.taken(), changed]).toEqual(['-', [], []]);
  });

  it('an account that is not here is as silent as one that is', async () => {
    for (const type of ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed']) {
      await fromRemote(type, 'romeo@remote.example', 'nobody@localhost');
      await fromRemote(type, 'romeo@remote.example', 'juliet@localhost');
    }
    expect(remote.taken()).toEqual([]);
    await fromRemote('probe', 'romeo@remote.example', 'nobody@localhost');
    await fromRemote('probe', 'romeo@remote.example', 'juliet@localhost');
    expect(remote.taken()).toEqual(
      ['nobody', 'juliet'].map(
        (name) => `<presence to='romeo@remote.example' from='${name}@localhost' type='unsubscribed'/>`,
      ),
    );
  });
});

it('does nothing twice: what changes no state is not pushed', async () => {
  const juliet = await server.online(balcony);
  await askRoster(juliet);
  send(juliet, 'subscribe', 'romeo@remote.example');
  await juliet.sync();
  const version = (await store.get(JULIET)).version;
  send(juliet, 'subscribe', 'romeo@remote.example');
  expect(await juliet.sync()).toEqual([]);
  expect((await store.get(JULIET)).version).toBe(version);
  expect(remote.taken()).toHaveLength(2); // but sent on, so that the other side can mend what it has lost
});

it('answers what would claim to be the account itself with nothing', async () => {
  await remote.send(`<presence from='juliet@localhost/x' to='juliet@localhost' type='subscribe'/>`);
  expect((await store.get(JULIET)).requests.size).toBe(0);
});
