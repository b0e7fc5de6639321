import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { clientOf, type XmppPeer } from '../services/xmpp-peer.ts';
import { logged, MAKES, OURS, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.make();
});
afterAll(() => world[Symbol.asyncDispose]());

const ROMEO = `romeo@${OURS}`;
const body = (text: string) => `<body>${text}</body>`;

describe.each(MAKES)('with %s, by certificates of one authority', (make) => {
  const domain = `${make.toLowerCase()}.lit`;
  let peer: XmppPeer;
  beforeAll(async () => {
    peer = await world.peer(make, domain);
  });

  const start = async (options = {}) => {
    const server = await world.server(options);
    const romeo = await server.online(`${ROMEO}/here`);
    const juliet = await clientOf(peer, 'juliet');
    juliet.send('<presence/>');
    await juliet.nextPresence(juliet.jid);
    return { server, romeo, juliet };
  };

  it('messages go there and back', async () => {
    const { server, romeo, juliet } = await start();
    juliet.send(`<message type='chat' to='${ROMEO}'>${body('Wherefore art thou?')}</message>`);
    const came = await romeo.nextMessage(juliet.jid);
    expect([came.attr('to'), came.childText('body')]).toEqual([ROMEO, 'Wherefore art thou?']);
    romeo.send(`<message type='chat' to='${juliet.jid}'>${body('I know not how to tell thee')}</message>`);
    const back = await juliet.nextMessage(`${ROMEO}/here`);
    expect(back.childText('body')).toBe('I know not how to tell thee');
    // a second one where the other server asks about our key over it
    for (const accepted of logged(server, 's2s.accepted')) {
      expect(accepted).toMatchObject({ remote: domain, local: OURS, mechanism: 'certificate' });
    }
    // what is for servers alone is not good enough for ejabberd 23 where one connects to it: then it asks DNS
    const tookUsBy = make === 'Prosody' ? 'certificate' : 'dialback';
    expect(logged(server, 's2s.connected')).toMatchObject([{ remote: domain, local: OURS, tookUsBy }]);
  });

  it('our certificate is enough, where it is for clients as well', async () => {
    const certificate = world.certificates.forClients(OURS);
    const { server, romeo, juliet } = await start({ certificate });
    romeo.send(`<message type='chat' to='${juliet.jid}'>${body('Hi')}</message>`);
    expect((await juliet.nextMessage(`${ROMEO}/here`)).childText('body')).toBe('Hi');
    expect(logged(server, 's2s.connected')).toMatchObject([{ tookUsBy: 'certificate' }]);
  });

  it('TLS from the first byte, where DNS says so', async () => {
    const { server, romeo, juliet } = await start({ direct: true });
    juliet.send(`<message type='chat' to='${ROMEO}'>${body('Hi')}</message>`);
    expect((await romeo.nextMessage(juliet.jid)).childText('body')).toBe('Hi');
    expect(logged(server, 's2s.accepted')).toMatchObject([{ mechanism: 'certificate' }]);
  });

  it('TLS from the first byte, where its DNS says so', async () => {
    const { starttls, direct } = peer.serverPorts;
    const services = ['xmpp-server', 'xmpps-server'].map((name) => `_${name}._tcp.${domain}`);
    onTestFinished(() => {
      for (const name of services) world.dns.forget(name);
      world.dns.serve(domain, starttls);
    });
    const { server, romeo, juliet } = await start();
    for (const name of services) world.dns.forget(name);
    world.dns.set(services[1] as string, { srv: [{ target: 'localhost', port: direct }] });
    romeo.send(`<message type='chat' to='${juliet.jid}'>${body('Hi')}</message>`);
    expect((await juliet.nextMessage(`${ROMEO}/here`)).childText('body')).toBe('Hi');
    expect(logged(server, 's2s.connected')).toMatchObject([{ port: direct, tookThemBy: 'certificate' }]);
  });

  it('subscriptions and presence, whoever begins', async () => {
    const { romeo, juliet } = await start();
    romeo.send(`<presence type='subscribe' to='${juliet.bare}'/>`);
    const asked = await juliet.take((each) => each.attr('type') === 'subscribe');
    expect(asked.attr('from')).toBe(ROMEO);
    juliet.send(`<presence type='subscribed' to='${ROMEO}'/><presence type='subscribe' to='${ROMEO}'/>`);
    expect((await romeo.nextPresence(juliet.jid)).attr('type')).toBeUndefined();
    await romeo.take((each) => each.attr('type') === 'subscribe');
    romeo.send(`<presence type='subscribed' to='${juliet.bare}'/>`);
    expect((await juliet.nextPresence(`${ROMEO}/here`)).attr('type')).toBeUndefined();
    romeo.send(`<presence><status>in the orchard</status></presence>`);
    expect((await juliet.nextPresence(`${ROMEO}/here`)).childText('status')).toBe('in the orchard');
    juliet.send(`<presence type='unavailable'/>`);
    await romeo.take((each) => each.attr('type') === 'unavailable' && each.attr('from') === juliet.jid);
    // a probe finds out about those who were there before
    juliet.send('<presence/>');
    expect((await juliet.nextPresence(`${ROMEO}/here`)).childText('status')).toBe('in the orchard');
    romeo.send(`<presence type='unavailable'/>`);
    await juliet.take((each) => each.attr('type') === 'unavailable' && each.attr('from') === `${ROMEO}/here`);
  });

  it('requests to servers and to accounts', async () => {
    const { romeo, juliet } = await start();
    const vcard = (name: string) => `<vCard xmlns='${NS.vcard}'><FN>${name}</FN></vCard>`;
    await romeo.request('set', vcard('Romeo'));
    await juliet.request('set', vcard('Juliet'));
    const name = (iq: Awaited<ReturnType<typeof romeo.request>>) => iq.child('vCard', NS.vcard)?.childText('FN');
    expect(name(await juliet.request('get', `<vCard xmlns='${NS.vcard}'/>`, ROMEO))).toBe('Romeo');
    expect(name(await romeo.request('get', `<vCard xmlns='${NS.vcard}'/>`, juliet.bare))).toBe('Juliet');
    const version = `<query xmlns='${NS.version}'/>`;
    const ours = await juliet.request('get', version, OURS);
    expect(ours.child('query', NS.version)?.childText('name')).toBe('Parley');
    const theirs = await romeo.request('get', version, domain);
    expect(theirs.child('query', NS.version)?.childText('name')?.toLowerCase()).toContain(make.toLowerCase());
  });

  it('errors come back, once', async () => {
    const { romeo, juliet } = await start();
    const nobody = await juliet.request('get', `<query xmlns='${NS.version}'/>`, `nobody@${OURS}/x`);
    expect([nobody.attr('type'), nobody.child('error')?.elements[0]?.name]).toEqual(['error', 'service-unavailable']);
    juliet.send(`<message id='m' type='chat' to='nobody@${OURS}'>${body('Hi')}</message>`);
    const refused = await juliet.nextMessage(`nobody@${OURS}`);
    expect(refused.child('error')?.elements[0]?.name).toBe('service-unavailable');
    const away = await romeo.request('get', `<query xmlns='urn:example:nothing'/>`, `nobody@${domain}/x`);
    expect(away.attr('type')).toBe('error');
    await juliet.request('get', `<query xmlns='${NS.version}'/>`, OURS);
    expect(juliet.inbox.filter((each) => each.attr('type') === 'error')).toEqual([]);
  });

  it('whoever is blocked gets nothing through', async () => {
    const { romeo, juliet } = await start();
    await romeo.request('set', `<block xmlns='${NS.blocking}'><item jid='${domain}'/></block>`);
    juliet.send(`<message type='chat' to='${ROMEO}'>${body('Hi')}</message>`);
    const refused = await juliet.nextMessage(ROMEO);
    expect(refused.child('error')?.elements[0]?.name).toBe('service-unavailable');
    expect(await romeo.sync()).toEqual([]);
  });
});
