import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf, type XmppPeer } from '../services/xmpp-peer.ts';
import type { TestClient } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { HostileServer } from './hostile-server.ts';
import { logged, OURS, type OwnOptions, World } from './world.ts';

const HONEST = 'honest.lit';
const ROMEO = `romeo@${OURS}`;
const BY_KEY = { default: 'certificate-or-dialback' } as const;

let world: World;
let honest: XmppPeer;
beforeAll(async () => {
  world = await World.make();
  honest = await world.peer('Prosody', HONEST);
});
afterAll(() => world[Symbol.asyncDispose]());

const message = (from: string, to = ROMEO) => `<message from='${from}' to='${to}'><body>forged</body></message>`;
const key = (from: string, text = 'a key', to = OURS) => `<db:result from='${from}' to='${to}'>${text}</db:result>`;

interface Stage {
  readonly server: TestServer;
  readonly romeo: TestClient;
  readonly hostile: HostileServer;
}

async function start(options: OwnOptions = { federation: BY_KEY }): Promise<Stage> {
  const server = await world.server(options);
  const romeo = await server.online(`${ROMEO}/here`);
  return { server, romeo, hostile: await HostileServer.connect(server.port('s2s')) };
}

/** Nothing of it got in, and others are heard as before. */
async function unimpressed({ server, romeo }: Stage): Promise<void> {
  expect(await romeo.sync()).toEqual([]);
  expect(logged(server, 's2s.accepted')).toEqual([]);
  const juliet = await clientOf(honest, 'juliet');
  juliet.send(`<message type='chat' to='${ROMEO}'><body>true</body></message>`);
  expect((await romeo.nextMessage(juliet.jid)).childText('body')).toBe('true');
  juliet.break();
}

describe('somebody who claims to be a domain', () => {
  it('whose server does not know the key', async () => {
    const stage = await start();
    const { hostile, server } = stage;
    const features = await hostile.begin(HONEST, OURS, world.certificates.selfSigned(HONEST));
    expect(features?.child('mechanisms', NS.sasl)).toBeUndefined();
    hostile.send(key(HONEST));
    expect((await hostile.next())?.attr('type')).toBe('invalid');
    expect(logged(server, 's2s.forged')).toMatchObject([{ remote: HONEST }]);
    expect(server.audit.filter(({ event }) => event.startsWith('s2s.'))).toMatchObject([
      { event: 's2s.forged', outcome: 'failure', actor: HONEST, address: '127.0.0.1', subject: OURS },
    ]);
    await hostile.gone();
    await unimpressed(stage);
  });

  it('and shows a certificate of its own, or one that is stolen without its key', async () => {
    const stage = await start({});
    const { hostile } = stage;
    const features = await hostile.begin(HONEST, OURS, world.certificates.of('hostile.lit'));
    expect(features?.child('mechanisms', NS.sasl)).toBeUndefined();
    hostile.send(`<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>=</auth>`);
    expect((await hostile.next())?.elements[0]?.name).toBe('not-authorized');
    hostile.send(key(HONEST));
    expect((await hostile.next())?.child('error', NS.client)?.elements[0]?.name).toBe('not-authorized');
    hostile.send(message(`juliet@${HONEST}`));
    expect(await hostile.gone()).toBe('not-authorized');
    await unimpressed(stage);
  });

  it('before the answer to its key is there', async () => {
    const stage = await start();
    const { hostile } = stage;
    world.dns.set('_xmpp-server._tcp.silent.lit', { silent: true });
    await hostile.begin('silent.lit', OURS);
    hostile.send(key('silent.lit') + message('juliet@silent.lit'));
    expect(await hostile.gone()).toBe('not-authorized');
    await unimpressed(stage);
  });

  it.each([
    ['one of ours', OURS, 'invalid-from'],
    ['one of ours, written otherwise', OURS.toUpperCase(), 'invalid-from'],
    ['an account', `juliet@${HONEST}`, 'invalid-from'],
  ])('%s', async (_, from, condition) => {
    const stage = await start();
    stage.hostile.open(from, OURS);
    expect(await stage.hostile.gone()).toBe(condition);
    await unimpressed(stage);
  });
});

describe('somebody who has proved one domain', () => {
  const proved = async () => {
    const stage = await start({});
    const { hostile } = stage;
    await hostile.begin('hostile.lit', OURS, world.certificates.of('hostile.lit'));
    hostile.send(`<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>=</auth>`);
    await hostile.next();
    hostile.open('hostile.lit', OURS);
    await hostile.next();
    stage.server.log.length = 0;
    return stage;
  };

  it.each([
    [`juliet@${HONEST}`, ROMEO, 'invalid-from'],
    ['juliet@below.hostile.lit', ROMEO, 'invalid-from'],
    [`juliet@${OURS}`, ROMEO, 'invalid-from'],
    [OURS, ROMEO, 'invalid-from'],
    ['juliet@hostile.lit', `juliet@${HONEST}`, 'host-unknown'],
    ['juliet@hostile.lit', 'juliet@hostile.lit', 'host-unknown'],
  ])('cannot write from %s to %s', async (from, to, condition) => {
    const stage = await proved();
    stage.hostile.send(message(from, to));
    expect(await stage.hostile.gone()).toBe(condition);
    await unimpressed(stage);
  });

  it.each([
    [`<db:result from='${HONEST}' to='${OURS}' type='valid'/>`],
    [`<db:verify from='${HONEST}' to='${OURS}' id='1' type='valid'/>`],
    [`<db:result from='hostile.lit' to='${OURS}' type='valid'/>`],
  ])('cannot answer what nobody has asked: %s', async (text) => {
    const stage = await proved();
    stage.hostile.send(text + message(`juliet@${HONEST}`));
    expect(await stage.hostile.gone()).toBe('policy-violation');
    await unimpressed(stage);
  });

  it('cannot take the accounts of others over, or look into them', async () => {
    const { hostile, romeo } = await proved();
    await romeo.request('set', `<query xmlns='${NS.roster}'><item jid='juliet@${HONEST}'/></query>`);
    await romeo.request('set', `<query xmlns='${NS.private}'><x xmlns='urn:example:x'>mine</x></query>`);
    await romeo.sync();
    const requests = [
      ['get', NS.roster, 'query'],
      ['set', NS.roster, 'query'],
      ['get', NS.private, 'query'],
      ['get', NS.blocking, 'blocklist'],
      ['set', NS.blocking, 'block'],
      ['set', NS.vcard, 'vCard'],
      ['set', NS.register, 'query'],
      ['get', NS.last, 'query'],
      ['set', NS.carbons, 'enable'],
    ] as const;
    for (const to of [ROMEO, OURS]) {
      for (const [index, [type, ns, name]] of requests.entries()) {
        const content = ns === NS.roster && type === 'set' ? `<item jid='eve@hostile.lit'/>` : '';
        hostile.send(
          `<iq type='${type}' id='${index} ${to}' from='eve@hostile.lit/x' to='${to}'><${name} xmlns='${ns}'>${content}</${name}></iq>`,
        );
      }
    }
    world.dns.set('_xmpp-server._tcp.hostile.lit', { srv: [{ target: '.', port: 0 }] });
    hostile.send(`<iq type='get' id='last' from='eve@hostile.lit/x' to='${OURS}'><ping xmlns='${NS.ping}'/></iq>`);
    expect(await romeo.sync()).toEqual([]);
    const roster = await romeo.request('get', `<query xmlns='${NS.roster}'/>`);
    expect(roster.firstChild?.elements.map((item) => item.attr('jid'))).toEqual([`juliet@${HONEST}`]);
    expect(hostile.closed).toBe(false);
  });
});

describe('somebody who is rude', () => {
  it.each([
    ['text before the header', 'hello'],
    ['XML of something else', '<html><body/></html>'],
    ['a document type', '<!DOCTYPE x><stream:stream/>'],
    ['a byte that is no UTF-8', Buffer.from([0xff, 0xfe, 0])],
    ['TLS where it was not asked for', Buffer.from('16030100a5010000a10303', 'hex')],
    ['a header without end', `<stream:stream xmlns='${'x'.repeat(20_000)}`],
    ['a client', `<stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}' to='${OURS}' version='1.0'>`],
  ])('%s', async (_, text) => {
    const stage = await start();
    stage.hostile.send(text);
    expect(await stage.hostile.gone()).toBeDefined();
    await unimpressed(stage);
  });

  it.each([
    ['something that is no stanza', '<nonsense/>'],
    ['too much at once', `<db:result from='a.lit' to='${OURS}'>${'k'.repeat(20_000)}</db:result>`],
    ['elements without end', `<db:result from='a.lit' to='${OURS}'>${'<x>'.repeat(1000)}`],
    ['a broken element', '<db:result from='],
    ['the end', '</stream:stream>'],
  ])('with %s before it has proved anything', async (_, text) => {
    const stage = await start();
    await stage.hostile.begin('hostile.lit', OURS);
    stage.hostile.send(text);
    if (text.endsWith('=')) stage.hostile.send('<');
    await stage.hostile.gone();
    await unimpressed(stage);
  });

  it('who sends ahead of STARTTLS what is to count behind it', async () => {
    const stage = await start();
    const { hostile } = stage;
    hostile.open(HONEST, OURS);
    await hostile.next();
    hostile.send(`<starttls xmlns='${NS.tls}'/>${key(HONEST)}${message(`juliet@${HONEST}`)}`);
    await hostile.next();
    await hostile.encrypt(OURS).catch(() => {}); // the stream may be over by then
    await unimpressed(stage);
  });

  it.each(['nothing at all', 'a header and no more', 'a header, letter by letter'])('who says %s', async (what) => {
    const timeouts = { negotiationSeconds: 1 };
    const stage = await start({ federation: { ...BY_KEY, timeouts } });
    const { hostile } = stage;
    if (what.endsWith('more')) hostile.open('hostile.lit', OURS);
    const slow = setInterval(() => hostile.send(what.endsWith('letter') ? ' ' : ''), 100);
    expect(await hostile.gone()).toBe('connection-timeout');
    clearInterval(slow);
    // others need not be as fast as that
    const next = structuredClone(stage.server.node.config);
    next.federation.timeouts.negotiationSeconds = 60;
    await stage.server.node.reload(next);
    await unimpressed(stage);
  });

  it('with hundreds of domains on one stream: others go on', async () => {
    const federation = {
      ...BY_KEY,
      limits: { domainsPerStream: 5, unverifiedPerStream: 2 },
      timeouts: { dnsSeconds: 1 },
    };
    const stage = await start({ federation });
    const { hostile } = stage;
    await hostile.begin('d0.lit', OURS);
    for (let i = 0; i < 300; i++) {
      world.dns.set(`_xmpp-server._tcp.d${i}.lit`, { silent: true });
      hostile.send(key(`d${i}.lit`));
    }
    const answers = new Map<string, number>();
    for (let i = 0; i < 300; i++) {
      const answer = await hostile.next();
      const condition = answer?.child('error', NS.client)?.elements[0]?.name ?? 'none';
      answers.set(condition, (answers.get(condition) ?? 0) + 1);
    }
    expect([...answers.keys()].sort()).toEqual(['remote-server-timeout', 'resource-constraint']);
    expect(answers.get('resource-constraint')).toBeGreaterThan(250);
    await unimpressed(stage);
  });
});
