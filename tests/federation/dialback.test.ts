import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf, type XmppPeer } from '../services/xmpp-peer.ts';
import { logged, MAKES, OURS, type OwnOptions, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.make();
});
afterAll(() => world[Symbol.asyncDispose]());

const ROMEO = `romeo@${OURS}`;
const BY_KEY = { default: 'certificate-or-dialback' } as const;
const message = (to: string, text = 'Hi') => `<message type='chat' to='${to}'><body>${text}</body></message>`;

describe.each(MAKES)('with %s, whose certificate nobody vouches for', (make) => {
  const domain = `${make.toLowerCase()}.lit`;
  let peer: XmppPeer;
  beforeAll(async () => {
    peer = await world.peer(make, domain, false);
  });

  const start = async (options: OwnOptions) => {
    const server = await world.server(options);
    const romeo = await server.online(`${ROMEO}/here`);
    const juliet = await clientOf(peer, 'juliet');
    return { server, romeo, juliet };
  };
  const condition = (element: { child(name: string): { elements: { name: string }[] } | undefined }) =>
    element.child('error')?.elements[0]?.name;

  it('DNS is enough where the policy says so, in both directions', async () => {
    const certificate = world.certificates.selfSigned(OURS);
    const { server, romeo, juliet } = await start({ certificate, federation: BY_KEY });
    juliet.send(message(ROMEO));
    expect((await romeo.nextMessage(juliet.jid)).childText('body')).toBe('Hi');
    romeo.send(message(juliet.jid, 'back'));
    expect((await juliet.nextMessage(`${ROMEO}/here`)).childText('body')).toBe('back');
    expect(logged(server, 's2s.accepted')).toMatchObject([{ remote: domain, mechanism: 'dialback' }]);
    expect(logged(server, 's2s.connected')).toMatchObject([{ remote: domain, tookUsBy: 'dialback' }]);
    const version = await juliet.request('get', `<query xmlns='${NS.version}'/>`, OURS);
    expect(version.attr('type')).toBe('result');
  });

  it('for this domain alone, where the policy says that', async () => {
    const federation = { peers: [{ domain, authentication: 'certificate-or-dialback' }] };
    const { romeo, juliet } = await start({ federation });
    juliet.send(message(ROMEO));
    expect((await romeo.nextMessage(juliet.jid)).childText('body')).toBe('Hi');
  });

  it('DNS is not enough by itself: both sides are told', async () => {
    const { server, romeo, juliet } = await start({});
    juliet.send(message(ROMEO));
    expect(condition(await juliet.nextMessage(ROMEO))).toMatch(/^remote-server-/);
    romeo.send(message(juliet.jid));
    expect(condition(await romeo.nextMessage(juliet.jid))).toMatch(/^remote-server-/);
    expect(logged(server, 's2s.accepted')).toEqual([]);
    expect(logged(server, 's2s.connected')).toEqual([]);
    expect(await romeo.sync()).toEqual([]);
  });

  it('a domain that is closed out is not even looked for', async () => {
    const { server, romeo, juliet } = await start({ federation: { ...BY_KEY, peers: [{ domain, allow: false }] } });
    const before = world.dns.asked.length;
    romeo.send(message(juliet.jid));
    expect(condition(await romeo.nextMessage(juliet.jid))).toBe('not-allowed');
    expect(world.dns.asked.slice(before)).toEqual([]);
    juliet.send(message(ROMEO));
    expect(condition(await juliet.nextMessage(ROMEO))).toMatch(/^remote-server-/);
    expect(logged(server, 's2s.accepted')).toEqual([]);
  });
});
