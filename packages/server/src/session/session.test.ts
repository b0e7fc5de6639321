import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { message, presence } from '@parley/xmpp/stanza';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';
import { defineModule, type ModuleContext } from '../module.ts';
import { RETURNED } from './returned.ts';
import type { Session } from './session.ts';

/** A server, and what its modules work with. */
async function start(config = {}, setUp: (context: ModuleContext) => void = () => {}) {
  const found: ModuleContext[] = [];
  const probe = defineModule({
    name: 'probe',
    setup(context) {
      found.push(context);
      setUp(context);
    },
  });
  const server = await startServer({ modules: [probe], config });
  return { server, context: found[0] as ModuleContext };
}

describe('what a client says of itself', () => {
  it.each(['', ` from='romeo@localhost/orchard'`, ` from='romeo@localhost'`, ` from='ROMEO@LOCALHOST/orchard'`])(
    '%j is its full address to others',
    async (from) => {
      const { server } = await start();
      const romeo = await server.client('romeo@localhost/orchard');
      romeo.send(`<message${from} to='romeo@localhost/orchard'/>`);
      expect((await romeo.nextMessage()).attr('from')).toBe('romeo@localhost/orchard');
    },
  );

  it.each([
    'juliet@localhost',
    'romeo@localhost/Orchard',
    'romeo@localhost/other',
    'localhost',
    'romeo@verona.lit/orchard',
  ])('that it is %s ends its stream', async (from) => {
    const { server } = await start();
    const romeo = await server.client('romeo@localhost/orchard');
    romeo.send(`<message from='${from}' to='romeo@localhost/orchard'/>`);
    expect((await romeo.next()).firstChild?.is('invalid-from', NS.streamErrors)).toBe(true);
    await romeo.closed;
  });
});

describe('the language of a stream', () => {
  it.each([
    ['de', '', 'de'],
    ['de', ` xml:lang='fr'`, 'fr'],
    ['en', '', undefined], // which the stream of every client is in
    ['', '', undefined],
    [undefined, '', undefined],
    ['x'.repeat(36), '', undefined],
  ])('%s is that of a stanza with%s', async (ofStream, ofStanza, expected) => {
    const { server } = await start();
    await server.account('romeo@localhost');
    const romeo = server.connect();
    const [stream] = server.node.streams;
    stream?.authenticated(Jid.parse('romeo@localhost'), 'TEST');
    romeo.open(ofStream === undefined ? 'localhost' : `localhost' xml:lang='${ofStream}`);
    await romeo.request('set', `<bind xmlns='${NS.bind}'><resource>orchard</resource></bind>`);
    romeo.send(`<message${ofStanza} to='romeo@localhost/orchard'/>`);
    expect((await romeo.nextMessage()).attr('xml:lang')).toBe(expected);
  });
});

describe('an address that is none', () => {
  it.each([
    [`<message to='@' id='1'/>`, 1],
    [`<iq to='a@@b' id='1' type='get'><a xmlns='urn:a'/></iq>`, 1],
    [`<iq to='@' id='1' type='result'/>`, 0],
    [`<message to='@' id='1' type='error'/>`, 0],
  ])('%s is answered %i times', async (text, times) => {
    const { server } = await start();
    const romeo = await server.client('romeo@localhost/orchard');
    romeo.send(text);
    const came = await romeo.sync();
    expect(came.map((each) => each.childOf(NS.client)?.firstChild?.name)).toEqual(Array(times).fill('jid-malformed'));
  });

  it('counts for the rate as everything does', async () => {
    const { server } = await start({ limits: { stanzas: { perSecond: 1, burst: 5 } } });
    const romeo = await server.client('romeo@localhost/orchard');
    romeo.send(`<message to='@'/>`.repeat(50));
    expect(romeo.inbox).toHaveLength(6); // the one that is over the burst is still answered
  });
});

describe('what stands between routing and the wire', () => {
  it('may take a stanza, at once or later', async () => {
    const { server } = await start({}, ({ hooks: { toSession } }) => {
      toSession.use('deliver', (stanza) => stanza.id === 'taken');
      toSession.use('deliver', async (stanza) => stanza.id === 'taken later');
    });
    const romeo = await server.client('romeo@localhost/orchard');
    for (const id of ['taken', 'taken later', 'left']) romeo.send(`<message to='romeo@localhost/orchard' id='${id}'/>`);
    expect((await romeo.nextMessage()).attr('id')).toBe('left');
    expect(await romeo.sync()).toEqual([]);
  });

  it.each([
    [
      'at once',
      () => {
        throw new TypeError('a bug');
      },
    ],
    ['later', () => Promise.reject(new TypeError('a bug'))],
  ])('may fail %s for one session, which harms no other one', async (_, fail) => {
    const { server } = await start({}, ({ hooks }) => {
      hooks.toSession.use('transform', (stanza, session) =>
        session.jid.resource === 'orchard' && stanza.kind === 'message' ? fail() : stanza,
      );
    });
    const orchard = await server.client('romeo@localhost/orchard');
    const cell = await server.client('romeo@localhost/cell');
    const juliet = await server.client('juliet@localhost/balcony');
    for (const romeo of [orchard, cell]) {
      const [session] = server.node.sessions.here(Jid.parse(romeo.jid)).filter(({ jid }) => String(jid) === romeo.jid);
      if (session) session.presence = presence({ from: session.jid });
    }
    juliet.send(`<message to='romeo@localhost' type='chat' id='1'/>`);
    expect((await cell.nextMessage()).attr('id')).toBe('1');
    expect([await orchard.sync(), await juliet.sync()]).toEqual([[], []]);
  });
});

it('what comes back a second time, since nobody knew whether it had, is not written again', async () => {
  const { server, context } = await start();
  const romeo = await server.client('romeo@localhost/orchard');
  const session = context.sessions.get(Jid.parse('romeo@localhost/orchard')) as Session;
  const returned = (id: string, k: number) =>
    message({ to: session.jid, type: 'error', id }).withOrigin({ sid: 'a'.repeat(16), k, effect: RETURNED });
  for (const [id, k] of [
    ['1', 7],
    ['2', 5],
    ['1', 7],
    ['2', 5],
    ['3', 6],
  ] as const)
    await session.send(returned(id, k));
  const heard = [await romeo.nextMessage(), await romeo.nextMessage(), await romeo.nextMessage()];
  expect(heard.map((each) => each.attr('id'))).toEqual(['1', '2', '3']);
});

it('nothing is sent to a session that is over', async () => {
  const { server, context } = await start();
  const romeo = await server.client('romeo@localhost/orchard');
  const [session] = [...context.sessions];
  await romeo.close();
  const before = romeo.inbox.length;
  session?.end();
  session?.onStreamEnd('again', false);
  expect([session?.ended, context.sessions.size, romeo.inbox.length]).toEqual([true, 0, before]);
});
