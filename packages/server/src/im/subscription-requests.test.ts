import { Jid } from '@parley/xmpp/jid';
import { beforeEach, expect, it } from 'vitest';
import { presenceOf } from '../../../../tests/support/contacts.ts';
import { RemoteDomain } from '../../../../tests/support/remote-domain.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';
import { defineModule } from '../module.ts';
import presence from './presence.ts';
import roster from './roster.ts';
import { RosterStore } from './roster-store.ts';
import subscription from './subscription.ts';

const JULIET = Jid.parse('juliet@localhost');

let server: TestServer;
let remote: RemoteDomain;
let store: RosterStore;

beforeEach(async () => {
  const user = defineModule({
    name: 'user',
    setup(context) {
      store = context.use(RosterStore);
    },
  });
  server = await startServer({ modules: [roster, subscription, presence, user] });
  remote = new RemoteDomain(server, 'remote.example');
});

it('are delivered as they came, to the resource that has come', async () => {
  const request = (name: string) =>
    `<presence to='juliet@localhost' from='${name}@remote.example' id='${name}' type='subscribe'><x xmlns='urn:example:x'>&amp;</x></presence>`;
  for (const name of ['a', 'b']) {
    await store.change(JULIET, Jid.parse(`${name}@remote.example`), () => ({ request: request(name) }));
  }
  const [first, second] = [await server.client('juliet@localhost/1'), await server.client('juliet@localhost/2')];
  for (const client of [first, second]) {
    client.send('<presence/>');
    for (const name of ['a', 'b']) {
      const got = await presenceOf(client, 'subscribe', `${name}@remote.example`);
      expect(got.toString()).toBe(request(name).replace('<presence', "<presence xmlns='jabber:client'"));
    }
  }
  expect((await first.sync()).map((element) => element.attr('type'))).toEqual([undefined, undefined]);
});

it('of the account are sent again by the first resource that comes', async () => {
  for (const [contact, ask] of [
    ['a@remote.example', true],
    ['b@remote.example', false],
  ] as const) {
    const item = { subscription: 'none' as const, ask, approved: false, name: undefined, groups: [] };
    await store.change(JULIET, Jid.parse(contact), () => ({ item }));
  }
  const first = await server.client('juliet@localhost/1');
  first.send('<presence/>');
  await first.sync();
  await server.online('juliet@localhost/2');
  first.send('<presence><show>away</show></presence>');
  await first.sync();
  const sent = remote.taken();
  expect(sent).toEqual([
    expect.stringMatching(/^<presence to='a@remote.example' from='juliet@localhost' id='[\w-]+' type='subscribe'\/>$/),
  ]);
});
