import { administerFederation } from '@parley/server/admin/federation-administration';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clientOf, type XmppPeer } from '../services/xmpp-peer.ts';
import type { TestClient } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { logged, OURS, type OwnOptions, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.make();
});
afterAll(() => world[Symbol.asyncDispose]());

const ROMEO = `romeo@${OURS}`;
const chat = (to: string, text: string) => `<message type='chat' to='${to}'><body>${text}</body></message>`;
const version = `<query xmlns='${NS.version}'/>`;

/** Whoever cannot be found by DNS cannot be connected to. */
const hide = (domain: string) => {
  world.dns.forget(`_xmpp-server._tcp.${domain}`);
  world.dns.forget(`_xmpps-server._tcp.${domain}`);
};

/** Everything that two people on two servers do, whoever has begun. */
async function converse(romeo: TestClient, juliet: TestClient): Promise<void> {
  juliet.send(`<presence type='subscribe' to='${ROMEO}'/>`);
  await romeo.take((each) => each.attr('type') === 'subscribe');
  romeo.send(`<presence type='subscribed' to='${juliet.bare}'/><presence type='subscribe' to='${juliet.bare}'/>`);
  expect((await juliet.nextPresence(`${ROMEO}/here`)).attr('type')).toBeUndefined();
  juliet.send(`<presence type='subscribed' to='${ROMEO}'/>`);
  await romeo.nextPresence(juliet.jid);
  for (let n = 0; n < 20; n++) {
    juliet.send(chat(`${ROMEO}/here`, `there ${n}`));
    romeo.send(chat(juliet.jid, `back ${n}`));
  }
  for (let n = 0; n < 20; n++) {
    expect((await romeo.nextMessage(juliet.jid)).childText('body')).toBe(`there ${n}`);
    expect((await juliet.nextMessage(`${ROMEO}/here`)).childText('body')).toBe(`back ${n}`);
  }
  const [theirs, ours] = [juliet.jid.replace(/^.*@|\/.*$/g, ''), OURS];
  expect((await romeo.request('get', version, theirs)).attr('type')).toBe('result');
  expect((await juliet.request('get', version, ours)).attr('type')).toBe('result');
}

const explained = ({ node }: TestServer, remote: string) =>
  Array.fromAsync(administerFederation(node.federation, node.domains).explain(remote));
const list = (server: TestServer) => administerFederation(server.node.federation, server.node.domains).list();

describe('with Prosody, by certificates, on one stream', () => {
  const domain = 'both.lit';
  let peer: XmppPeer;
  beforeAll(async () => {
    peer = await world.peer('Prosody', domain, true, { bidirectional: true });
  });

  let users = 0;
  /** Juliet is somebody new each time: she has no contacts yet for whose sake her server would begin a stream. */
  const start = async (options: OwnOptions = {}) => {
    const server = await world.server(options);
    const romeo = await server.online(`${ROMEO}/here`);
    const juliet = await clientOf(peer, `juliet${++users}`);
    juliet.send('<presence/>');
    await juliet.nextPresence(juliet.jid);
    return { server, romeo, juliet };
  };

  it('that it has begun, though we could not connect to it', async () => {
    const { server, romeo, juliet } = await start();
    const before = world.dns.asked.length;
    await converse(romeo, juliet);
    expect(world.dns.asked.slice(before).filter((each) => each.includes(domain))).toEqual([]);
    expect(logged(server, 's2s.connected')).toMatchObject([{ remote: domain, stream: 'theirs, both ways' }]);
    expect(logged(server, 's2s.accepted')).toMatchObject([{ remote: domain, mechanism: 'certificate' }]);
    await vi.waitFor(() => expect(list(server).outgoing[0]?.stream?.unacknowledged).toBe(0));
    expect((await explained(server, domain))[0]).toContain('now: a stream that it has begun: stanzas go out on it');
    expect(list(server)).toMatchObject({
      outgoing: [{ remote: domain, stream: { kind: 'theirs, both ways', tookThemBy: 'certificate' } }],
      incoming: [{ remotes: [domain], bothWays: true }],
    });
  });

  it('that we have begun, where the policy asks for it, though it could not connect to us', async () => {
    const { server, romeo, juliet } = await start({ federation: { peers: [{ domain, bidirectional: true }] } });
    hide(OURS);
    romeo.send(chat(juliet.jid, 'first'));
    expect((await juliet.nextMessage(`${ROMEO}/here`)).childText('body')).toBe('first');
    await converse(romeo, juliet);
    expect(logged(server, 's2s.connected')).toMatchObject([
      { remote: domain, stream: 'ours, both ways', tookUsBy: 'certificate' },
    ]);
    expect(logged(server, 's2s.accepted')).toEqual([]);
    await vi.waitFor(() => expect(list(server).outgoing[0]?.stream?.unacknowledged).toBe(0));
    expect(list(server).outgoing[0]?.stream?.received).toBeGreaterThan(20);
  });

  it('on two, where ours is there before', async () => {
    const { server, romeo, juliet } = await start();
    romeo.send(chat(juliet.jid, 'first'));
    await juliet.nextMessage(`${ROMEO}/here`);
    await converse(romeo, juliet);
    expect(logged(server, 's2s.connected')).toMatchObject([{ stream: 'ours' }]);
    expect(logged(server, 's2s.accepted').length).toBe(1);
  });

  it('on two, where that is switched off', async () => {
    const { server, romeo, juliet } = await start({ federation: { bidirectional: false } });
    await converse(romeo, juliet);
    expect(logged(server, 's2s.connected')).toMatchObject([{ stream: 'ours' }]);
  });

  it.each([
    ['that it has begun', {}, 'theirs, both ways'],
    ['that we have begun', { peers: [{ domain, bidirectional: true }] }, 'ours, both ways'],
  ])('%s: what it had not acknowledged when it died goes again', async (_, federation, kind) => {
    const { server, romeo, juliet } = await start({ federation: { queue: { seconds: 170 }, ...federation } });
    if (kind.startsWith('theirs')) {
      juliet.send(chat(ROMEO, 'hello'));
      await romeo.nextMessage(juliet.jid);
    } else {
      romeo.send(chat(juliet.jid, 'hello'));
      await juliet.nextMessage(`${ROMEO}/here`);
    }
    romeo.send(chat(juliet.jid, 'before'));
    await juliet.nextMessage(`${ROMEO}/here`);
    await peer.kill();
    romeo.send(chat(juliet.bare, 'while it is away'));
    await romeo.sync();
    await peer.restart();
    world.dns.serve(domain, peer.serverPorts.starttls);
    const back = await clientOf(peer, `juliet${users}`, 'back');
    back.send('<presence/>');
    await back.take((each) => each.childText('body') === 'while it is away');
    const kinds = logged(server, 's2s.connected').map(({ stream }) => stream);
    expect(kinds[0]).toBe(kind);
    expect(kinds.length).toBeGreaterThan(1);
  });
});

describe('with Prosody, whose certificate nobody vouches for, on one stream', () => {
  const domain = 'both-by-key.lit';
  let peer: XmppPeer;
  beforeAll(async () => {
    peer = await world.peer('Prosody', domain, false, { bidirectional: true });
  });

  it.each([
    ['that it has begun', undefined, 'theirs, both ways'],
    ['that we have begun', true, 'ours, both ways'],
  ])('%s', async (_, bidirectional, kind) => {
    const authentication = 'certificate-or-dialback' as const;
    const peers = [{ domain, authentication, ...(bidirectional && { bidirectional }) }];
    const server = await world.server({ certificate: world.certificates.selfSigned(OURS), federation: { peers } });
    const romeo = await server.online(`${ROMEO}/here`);
    const juliet = await clientOf(peer, `juliet-${kind.slice(0, 4)}`);
    juliet.send('<presence/>');
    await juliet.nextPresence(juliet.jid);
    if (bidirectional) {
      romeo.send(chat(juliet.jid, 'hello'));
      await juliet.nextMessage(`${ROMEO}/here`);
    }
    await converse(romeo, juliet);
    const connected = logged(server, 's2s.connected');
    expect(connected).toMatchObject([{ remote: domain, stream: kind }]);
  });
});
