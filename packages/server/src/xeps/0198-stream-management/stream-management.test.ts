import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, describe, expect, it } from 'vitest';
import type { TestClient } from '../../../../../tests/support/client.ts';
import { startServer, type TestServer } from '../../../../../tests/support/server.ts';
import presence from '../../im/presence.ts';
import roster from '../../im/roster.ts';
import subscription from '../../im/subscription.ts';
import { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import carbons from '../0280-carbons/carbons.ts';
import streamManagement from './stream-management.ts';

const SM = NS.streamManagement;
const JULIET = 'juliet@localhost/balcony';

let server: TestServer;
let juliet: TestClient;

beforeEach(async () => {
  server = await startServer({ modules: [roster, subscription, presence, streamManagement, carbons] });
  juliet = await server.client(JULIET);
});

const said = (client: TestClient) => client.take(({ ns, name }) => ns === SM && name !== 'r');

async function enable(attributes = `resume='true'`): Promise<Element> {
  juliet.send(`<enable xmlns='${SM}' ${attributes}/>`);
  return said(juliet);
}

/** What the keyspace knows of Juliet's session. */
async function record() {
  const [session] = server.node.sessions.here(Jid.parse(JULIET));
  await session?.management?.settled();
  const store = new ResumptionStore({ keyspace: server.keyspace, onDamaged: (error) => expect.fail(error.message) });
  return (await store.read(Jid.parse('juliet@localhost'), session?.sessionId ?? ''))?.record;
}

describe('the place to come back to', () => {
  const configured = (location: unknown) => startServer({ config: { modules: { 'stream-management': { location } } } });

  it('is the one that is configured, and none where there is none', async () => {
    expect((await enable()).attr('location')).toBeUndefined();
    const other = await configured('chat1.example:5222');
    const romeo = await other.client('romeo@localhost/orchard');
    romeo.send(`<enable xmlns='${SM}' resume='true'/>`);
    expect((await said(romeo)).attr('location')).toBe('chat1.example:5222');
  });

  it.each(['', 'chat1', '10.0.0.1', '[::1]:5222', '[2001:db8::1]', 'näher.example:1', 'a:65535'])(
    'may be %s',
    (location) => {
      expect(streamManagement.options?.safeParse({ location }).success).toBe(true);
    },
  );

  it.each([':5222', '::1', '[::g]', '[::1', 'a:0', 'a:65536', 'a:b', 'a b', 'x@y', 'a/b', 'xmpp:a'])(
    'is not %s',
    (location) => {
      expect(streamManagement.options?.safeParse({ location }).success).toBe(false);
    },
  );
});

describe('the record of a session', () => {
  it('follows what the client does', async () => {
    await enable(`resume='1' max='60'`);
    expect(await record()).toMatchObject({
      resource: 'balcony',
      maxSeconds: 60,
      mechanism: 'TEST',
      carbons: false,
      interested: false,
      presence: undefined,
      directed: [],
    });
    await juliet.request('set', `<enable xmlns='${NS.carbons}'/>`);
    await juliet.request('get', `<query xmlns='${NS.roster}'/>`);
    juliet.send(`<presence to='romeo@localhost/orchard'/><presence><show>away</show></presence>`);
    await juliet.sync();
    const now = await record();
    expect(now).toMatchObject({ carbons: true, interested: true, directed: ['romeo@localhost/orchard'] });
    expect(now?.presence).toBe(`<presence from='${JULIET}'><show>away</show></presence>`);
    juliet.send(`<presence type='unavailable' to='romeo@localhost/orchard'/><presence type='unavailable'/>`);
    await juliet.sync();
    expect(await record()).toMatchObject({ presence: undefined, directed: [] });
  });

  it('goes with the session', async () => {
    await enable();
    expect(await record()).toBeDefined();
    await juliet.close();
    await server.node.hooks.pending.idle();
    const store = new ResumptionStore({ keyspace: server.keyspace, onDamaged: (error) => expect.fail(error.message) });
    expect(await Array.fromAsync(store.all())).toEqual([]);
  });
});

it('waits for its time by itself, or for another within the most that is allowed', async () => {
  const options = { enabled: true, resumptionSeconds: 20, maxResumptionSeconds: 40 };
  const config = { modules: { 'stream-management': options } } as never;
  server = await startServer({ modules: [roster, subscription, presence, streamManagement], config });
  for (const [attributes, max] of [
    [`resume='true'`, '20'],
    [`resume='true' max='30'`, '30'],
    [`resume='true' max='50'`, '40'],
  ] as const) {
    juliet = await server.client(JULIET);
    expect((await enable(attributes)).attr('max')).toBe(max);
  }
});

describe('what is not allowed', () => {
  const condition = (element: Element) => element.firstChild?.name;

  it('before anybody has authenticated is answered, and changes nothing', async () => {
    const stranger = server.connect();
    stranger.open('localhost');
    await stranger.take(({ name }) => name === 'features');
    for (const element of [`enable resume='true'`, `resume h='0' previd='x'`, 'r', `a h='0'`]) {
      stranger.send(`<${element.replace(' ', ` xmlns='${SM}' `)}${element.includes(' ') ? '' : ` xmlns='${SM}'`}/>`);
      expect(condition(await said(stranger))).toBe('unexpected-request');
    }
  });

  it('on a stream that has a session already', async () => {
    const id = (await enable()).attr('id');
    juliet.send(`<resume xmlns='${SM}' previd='${id}' h='0'/>`);
    expect(condition(await said(juliet))).toBe('unexpected-request');
  });

  it.each(['', `h='x'`, `h='4294967296'`])('an acknowledgement of no number: %j', async (h) => {
    await enable();
    juliet.send(`<a xmlns='${SM}' ${h}/>`);
    const error = await juliet.take(({ name }) => name === 'error');
    expect(condition(error)).toBe('bad-format');
  });

  it('anything else of the namespace', async () => {
    await enable();
    juliet.send(`<enabled xmlns='${SM}'/>`);
    expect(condition(await juliet.take(({ name }) => name === 'error'))).toBe('unsupported-stanza-type');
  });
});

it('is advertised to whoever may bind a resource', async () => {
  const client = await server.authenticated('romeo@localhost');
  expect(client.features?.child('sm', SM)).toEqual(Element.of('sm', SM));
});
