import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, describe, expect, it } from 'vitest';
import { RemoteDomain } from '../../../../tests/support/remote-domain.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';
import { defineModule } from '../module.ts';
import presence from './presence.ts';
import roster from './roster.ts';
import { RosterStore } from './roster-store.ts';
import type { Subscription } from './subscription-state.ts';

const JULIET = Jid.parse('juliet@localhost');
const romeo = Jid.parse('romeo@remote.example');

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
  server = await startServer({ modules: [roster, presence, user] });
  remote = new RemoteDomain(server, 'remote.example');
});

const relation = (subscription: Subscription, ask = false, request?: string) =>
  store.change(JULIET, romeo, () => ({
    item: { subscription, ask, approved: false, name: undefined, groups: [] },
    ...(request && { request }),
  }));

const stanza = (from: string, type: string) => `<presence to='${romeo}' from='${from}' type='${type}'/>`;
const gone = stanza('juliet@localhost/balcony', 'unavailable');
const unsubscribe = stanza('juliet@localhost', 'unsubscribe');
const unsubscribed = stanza('juliet@localhost', 'unsubscribed');

describe('a contact that is removed', () => {
  it.each([
    ['none', false, '', []],
    ['none', true, '', [unsubscribe]],
    ['none', false, 'waits', [unsubscribed]],
    ['none', true, 'waits', [unsubscribe, unsubscribed]],
    ['to', false, '', [unsubscribe]],
    ['to', false, 'waits', [unsubscribe, unsubscribed]],
    ['from', false, '', [gone, unsubscribed]],
    ['from', true, '', [gone, unsubscribe, unsubscribed]],
    ['both', false, '', [gone, unsubscribe, unsubscribed]],
  ] as const)('is told what ends: %s %s %s', async (subscription, ask, request, told) => {
    await relation(subscription, ask, request);
    const juliet = await server.online('juliet@localhost/balcony');
    remote.taken();
    const query = `<query xmlns='${NS.roster}'><item jid='${romeo}' subscription='remove'/></query>`;
    expect((await juliet.request('set', query)).attr('type')).toBe('result');
    expect(remote.taken()).toEqual(told);
    const after = await store.get(JULIET);
    expect([after.size, after.requests.size]).toEqual([0, 0]);
  });
});

it('has every change told to other modules', async () => {
  const juliet = await server.client('juliet@localhost/balcony');
  const set = (item: string) => juliet.request('set', `<query xmlns='${NS.roster}'>${item}</query>`);
  await set(`<item jid='${romeo}'/>`);
  await set(`<item jid='${romeo}'><group/></item>`); // refused
  await set(`<item jid='${romeo}' subscription='remove'/>`);
  expect(changed).toEqual([`juliet@localhost ${romeo}`, `juliet@localhost ${romeo}`]);
});

it('keeps of a name and its groups what was sent, and no subscription', async () => {
  const juliet = await server.client('juliet@localhost/balcony');
  await relation('to', false);
  const item = `<item jid='${romeo}' name='R &lt;3' subscription='both' ask='subscribe'><group>A &amp; B</group></item>`;
  await juliet.request('set', `<query xmlns='${NS.roster}'>${item}</query>`);
  expect((await store.get(JULIET)).get(romeo)).toMatchObject({
    subscription: 'to',
    ask: false,
    name: 'R <3',
    groups: ['A & B'],
  });
});

it('tells everybody when the account itself is removed', async () => {
  await relation('both');
  await store.change(JULIET, Jid.parse('stranger@remote.example'), () => ({ request: '<presence/>' }));
  await server.account('juliet@localhost');
  const told = Promise.withResolvers<void>();
  server.node.router.removeService('remote.example');
  const got: string[] = [];
  server.node.router.addService('remote.example', (sent) => {
    if (got.push(`${sent.from} ${sent.type} ${sent.to}`) === 3) told.resolve();
  });
  await server.accounts.remove?.(JULIET);
  await told.promise;
  expect(got).toEqual([
    `juliet@localhost unsubscribe ${romeo}`,
    `juliet@localhost unsubscribed ${romeo}`,
    'juliet@localhost unsubscribed stranger@remote.example',
  ]);
});
