import { modules } from '@parley/server/modules';
import { NS } from '@parley/xmpp/namespaces';
import type { TestClient } from '../support/client.ts';
import { presenceOf, roster, setRoster } from '../support/contacts.ts';
import { putGroup } from '../support/groups.ts';
import { FakeProfiles } from '../support/profiles.ts';
import { type Limit, type LimitTable, stanzaError } from './limit.ts';

/** One client makes its requests, one after the other; the errors that came back. */
const requests = (config: Limit['config'], payloads: readonly string[], sees: readonly string[]): Limit => ({
  config: config ?? {},
  async exceed(scene) {
    const client = await scene.user();
    const said: string[] = [];
    for (const payload of payloads) said.push(stanzaError(await client.request('set', payload)));
    return said;
  },
  sees,
});

const item = (name: string, content = '') => `<item jid='${name}@localhost'>${content}</item>`;
const rosterSet = (content: string) => `<query xmlns='${NS.roster}'>${content}</query>`;
const kept = (ns: string, text = '') => `<query xmlns='${NS.private}'><x xmlns='${ns}'>${text}</x></query>`;
const block = (...names: string[]) =>
  `<block xmlns='urn:xmpp:blocking'>${names.map((name) => `<item jid='${name}@localhost'/>`).join('')}</block>`;
const vcard = (length: number) => `<vCard xmlns='${NS.vcard}'><DESC>${'x'.repeat(length)}</DESC></vCard>`;
const groups = (count: number) => Array.from({ length: count }, (_, index) => `<group>${index}</group>`).join('');

/** Messages for somebody who is not there; what came back for each. */
const messages = (offline: NonNullable<Limit['config']>['offline'], bodies: string[], sees: string[]): Limit => ({
  config: { offline: offline ?? {} },
  async exceed(scene) {
    await scene.server.account('nurse@localhost');
    const client = await scene.user();
    for (const [id, body] of bodies.entries()) {
      client.send(`<message id='${id}' type='chat' to='nurse@localhost'><body>${body}</body></message>`);
    }
    await client.request('get', `<vCard xmlns='${NS.vcard}'/>`); // what waited for the keyspace is done
    const refused = (await client.sync()).map((stanza) => `${stanza.attr('id')} ${stanzaError(stanza)}`);
    const nurse = await scene.server.client('nurse@localhost/hall');
    nurse.send('<presence/>');
    const got = await bodiesOf(nurse);
    return [...got, ...refused];
  },
  sees,
});

async function bodiesOf(client: TestClient): Promise<string[]> {
  const bodies: string[] = [];
  for (let more = true; more; ) {
    await client.request('get', `<vCard xmlns='${NS.vcard}'/>`);
    const now = (await client.sync()).flatMap((stanza) => stanza.childText('body') ?? []);
    bodies.push(...now);
    more = now.length > 0;
  }
  return bodies;
}

export const accountLimits: LimitTable = {
  'roster-items': requests(
    { roster: { maxItems: 2 } },
    ['a', 'b', 'c', 'a'].map((name) => rosterSet(item(name))),
    ['', '', 'resource-constraint', ''],
  ),
  'roster-shared-items': {
    config: { roster: { maxSharedItems: 2 } },
    async exceed(scene) {
      const sailors = ['a', 'b', 'c'].map((name) => `${name}@localhost`);
      await putGroup(scene.server, 'crew', { shownTo: 'everyone', add: sailors });
      const client = await scene.user();
      await setRoster(client, item('own'));
      return (await roster(client))?.elements.map((contact) => contact.attr('jid'));
    },
    sees: ['own@localhost', 'a@localhost', 'b@localhost'],
  },
  'roster-groups': requests(
    { roster: { maxGroupsPerItem: 2 } },
    [rosterSet(item('a', groups(2))), rosterSet(item('a', groups(3)))],
    ['', 'policy-violation'],
  ),
  'roster-name-bytes': requests(
    { roster: { maxNameBytes: 10 } },
    [rosterSet(`<item jid='a@localhost' name='${'ä'.repeat(6)}'/>`)],
    ['not-acceptable'],
  ),
  // RFC 6121 §3.1.3 leaves the sender without an answer
  'roster-requests': {
    config: { roster: { maxRequests: 2 } },
    async exceed(scene) {
      await scene.server.account('nurse@localhost');
      for (const name of ['a', 'b', 'c']) {
        const client = await scene.user(`${name}@localhost/x`);
        client.send(`<presence type='subscribe' to='nurse@localhost'/>`);
        await client.request('get', `<vCard xmlns='${NS.vcard}'/>`);
      }
      const nurse = await scene.server.client('nurse@localhost/hall');
      nurse.send('<presence/>');
      await presenceOf(nurse, 'subscribe', 'a@localhost');
      await presenceOf(nurse, 'subscribe', 'b@localhost');
      return (await nurse.sync()).filter((stanza) => stanza.attr('type') === 'subscribe').map(String);
    },
    sees: [],
  },

  'directed-presence': {
    config: { limits: { presence: { directedTargets: 2 } } },
    async exceed(scene) {
      const client = await scene.user();
      for (const name of ['a', 'b', 'c']) client.send(`<presence id='${name}' to='${name}@localhost'/>`);
      return (await client.sync()).map((stanza) => `${stanza.attr('id')} ${stanzaError(stanza)}`);
    },
    sees: ['c policy-violation'],
  },
  'presence-bytes': {
    config: { limits: { presence: { maxBytes: 10_000 } } },
    async exceed(scene) {
      const client = await scene.user();
      client.send(`<presence><status>${'x'.repeat(10_000)}</status></presence>`);
      return (await client.sync()).map(stanzaError);
    },
    sees: ['policy-violation'],
  },
  strangers: {
    config: { limits: { stanzas: { strangersPerHour: 2 } } },
    async exceed(scene) {
      const client = await scene.user();
      await setRoster(client, item('friend'));
      for (const name of ['a', 'friend', 'b', 'c']) {
        client.send(`<message id='${name}' to='${name}@localhost' type='headline'><body>Buy!</body></message>`);
      }
      return (await client.sync()).map((stanza) => `${stanza.attr('id')} ${stanzaError(stanza)}`);
    },
    sees: ['c unexpected-request too-many-stanzas'],
  },

  'offline-messages': messages({ maxMessages: 2 }, ['a', 'b', 'c'], ['a', 'b', '2 service-unavailable']),
  'offline-bytes': messages({ maxBytes: 2000 }, ['a', 'x'.repeat(2000), 'c'], ['a', 'c', '1 service-unavailable']),

  'private-bytes': requests(
    { modules: { 'private-storage': { enabled: true, maxBytes: 1000 } } },
    [kept('urn:a', 'x'.repeat(500)), kept('urn:b', 'x'.repeat(1000))],
    ['', 'resource-constraint'],
  ),
  'private-namespaces': requests(
    { modules: { 'private-storage': { enabled: true, maxNamespaces: 2 } } },
    ['urn:a', 'urn:b', 'urn:c'].map((ns) => kept(ns, 'text')),
    ['', '', 'resource-constraint'],
  ),
  'vcard-bytes': requests(
    { modules: { vcard: { enabled: true, maxBytes: 1000 } } },
    [vcard(500), vcard(1000)],
    ['', 'policy-violation'],
  ),
  searches: {
    config: { modules: { search: { enabled: true, perMinute: 2 } } },
    modules: [new FakeProfiles().module, ...modules],
    async exceed(scene) {
      const client = await scene.user();
      const said: string[] = [];
      const search = `<query xmlns='${NS.search}'><last>Cap</last></query>`;
      while (said.length < 3) said.push(stanzaError(await client.request('set', search, 'search.localhost')));
      return said;
    },
    sees: ['', '', 'resource-constraint'],
  },
  'blocklist-items': requests(
    { modules: { blocking: { enabled: true, maxItems: 2 } } },
    [block('a', 'b'), block('c')],
    ['', 'resource-constraint'],
  ),
};
