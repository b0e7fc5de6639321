import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, test } from 'vitest';
import { CountedKeyspace } from '../support/counted-keyspace.ts';
import { RemoteDomain } from '../support/remote-domain.ts';
import { startServer, type TestServer } from '../support/server.ts';

// What strangers send to an address is answered alike whether there is such an account, with the same work: those of other
// servers, and those of this one whom the account does not know. docs/authentication.md says what is not covered.

const REQUESTS = [
  ['get', `<query xmlns='${NS.discoInfo}'/>`],
  ['get', `<query xmlns='${NS.discoInfo}' node='x'/>`],
  ['get', `<query xmlns='${NS.discoItems}'/>`],
  ['get', `<query xmlns='${NS.last}'/>`],
  ['get', `<vCard xmlns='${NS.vcard}'/>`],
  ['set', `<vCard xmlns='${NS.vcard}'><FN>Somebody</FN></vCard>`],
  ['get', `<vcard xmlns='${NS.vcard4}'/>`],
  ['get', `<pubsub xmlns='${NS.pubsub}'><items node='${NS.vcard4Node}'/></pubsub>`],
  ['get', `<pubsub xmlns='${NS.pubsub}'><items node='another'/></pubsub>`],
  ['get', `<query xmlns='${NS.version}'/>`],
  ['get', `<time xmlns='${NS.time}'/>`],
  ['get', `<ping xmlns='${NS.ping}'/>`],
  ['get', `<query xmlns='${NS.roster}'/>`],
  ['set', `<query xmlns='${NS.roster}'><item jid='nurse@localhost'/></query>`],
  ['get', `<query xmlns='${NS.private}'><a xmlns='urn:a'/></query>`],
  ['get', `<blocklist xmlns='${NS.blocking}'/>`],
  ['set', `<block xmlns='${NS.blocking}'><item jid='tybalt@localhost'/></block>`],
  ['get', `<query xmlns='${NS.register}'/>`],
  ['set', `<query xmlns='${NS.register}'><remove/></query>`],
  ['set', `<query xmlns='${NS.register}'><username>NAME</username><password>another</password></query>`],
  ['get', `<query xmlns='${NS.search}'/>`],
  ['set', `<enable xmlns='${NS.carbons}'/>`],
  ['set', `<bind xmlns='${NS.bind}'/>`],
  ['set', `<session xmlns='${NS.session}'/>`],
  ['get', `<query xmlns='urn:example:unknown'/>`],
  ['get', ''],
  ['result', ''],
  ['error', `<error type='cancel'><item-not-found xmlns='${NS.stanzas}'/></error>`],
].map(([type, content]) => `<iq type='${type}' id='it'>${content}</iq>`);

const PRESENCE = ['', 'unavailable', 'probe', 'subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'error'].map(
  (type) => `<presence${type && ` type='${type}'`} id='it'/>`,
);

/** Messages that RFC 6121 §8.5.1 and §8.5.2.2 have the same answer for; what is stored for somebody is not among them. */
const MESSAGES = [
  `<message type='headline' id='it'><body>Hear!</body></message>`,
  `<message type='groupchat' id='it'><body>Hear!</body></message>`,
  `<message type='error' id='it'><error type='cancel'><gone xmlns='${NS.stanzas}'/></error></message>`,
  `<message type='chat' id='it'><body>Hear!</body><no-store xmlns='${NS.hints}'/></message>`,
];

const STATES: Record<string, (server: TestServer, jid: string) => Promise<unknown> | undefined> = {
  'nobody is connected': (server, jid) => server.account(jid),
  'it is disabled': async (server, jid) => {
    await server.account(jid);
    await server.accounts.disable?.(Jid.parse(jid));
  },
  'somebody is connected who has sent no presence': (server, jid) => server.client(`${jid}/balcony`),
};

/** Whom a stanza goes to, and which stanzas. */
const TO = ['NAME@localhost', 'NAME@localhost/nowhere'];
const STANZAS = [...REQUESTS, ...PRESENCE, ...MESSAGES].flatMap((stanza) => TO.map((to) => [stanza, to] as const));

/** Sends a stanza as somebody, and gives what comes back. */
type Ask = (stanza: string, to: string) => Promise<string[]>;

const STRANGERS: Record<string, (server: TestServer) => Promise<Ask>> = {
  'of another server': async (server) => {
    const verona = new RemoteDomain(server, 'verona.lit');
    return async (stanza, to) => {
      await verona.send(stanza.replace(' ', ` from='romeo@verona.lit/orchard' to='${to}' `));
      await server.settled();
      return verona.taken();
    };
  },
  'of this server': async (server) => {
    const romeo = await server.online('romeo@localhost/orchard');
    return async (stanza, to) => {
      romeo.send(stanza.replace(' ', ` to='${to}' `));
      // what changes in the asker's own roster is said, whoever it is that was named
      return (await romeo.sync()).map(String).map((text) => text.replaceAll(/ (id|ver)='[^']*'/g, ''));
    };
  },
};

async function start() {
  const counted = await CountedKeyspace.open();
  const config = { limits: { stanzas: { perSecond: 0, strangersPerHour: 0 }, bytes: { perSecond: 0 } } };
  return { counted, server: await startServer({ keyspace: counted.keyspace, config }) };
}

/** What comes of each stanza for this name, and what is asked of the keyspace for it. */
async function answers(ask: Ask, counted: CountedKeyspace, name: string) {
  const told: { stanza: string; to: string; back: string[]; asked: string[] }[] = [];
  for (const [stanza, to] of STANZAS) {
    const [text, address] = [stanza, to].map((each) => each.replaceAll('NAME', name)) as [string, string];
    counted.taken(name);
    const back = (await ask(text, address)).map((answer) => answer.replaceAll(name, 'NAME'));
    told.push({ stanza, to, back, asked: counted.taken(name) });
  }
  return told;
}

type Answers = Awaited<ReturnType<typeof answers>>;

for (const [who, meet] of Object.entries(STRANGERS)) {
  describe(`a stranger ${who} cannot tell whether there is such an account`, () => {
    test.each(Object.entries(STATES))('where %s', async (state, make) => {
      const { server, counted } = await start();
      const ask = await meet(server);
      await make(server, 'someone@localhost');
      const unknown = await answers(ask, counted, 'nobodys');
      const known = await answers(ask, counted, 'someone');
      const heard = (told: Answers) => told.map(({ stanza, to, back }) => ({ stanza, to, back }));
      expect(heard(known)).toEqual(heard(unknown));
      // of somebody who is there the node has in memory what it asks for otherwise
      if (state.includes('connected who')) return;
      const requests = (told: Answers) => told.filter(({ stanza }) => stanza.startsWith('<iq'));
      expect(requests(known)).toEqual(requests(unknown));
    });
  });
}

test('what a stranger hears is what RFC 6121 §8.5.1 has for nobody', async () => {
  const { server, counted } = await start();
  const ask = await (STRANGERS['of another server'] as (server: TestServer) => Promise<Ask>)(server);
  for (const { stanza, back } of await answers(ask, counted, 'nobodys')) {
    const [answer] = back;
    const isRefused = /^<iq type='(get|set)'|^<message type='(groupchat|chat)'/.test(stanza);
    const isTold = stanza.startsWith(`<presence type='probe'`); // §4.3.2
    expect([stanza, back.length]).toEqual([stanza, isRefused || isTold ? 1 : 0]);
    if (isRefused) expect(answer).toMatch(/<(service-unavailable|bad-request) /);
    if (isTold) expect(answer).toContain(`type='unsubscribed'`);
  }
});
