import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { type Iq, iq, type Stanza } from '@parley/xmpp/stanza';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Peers } from '../../peers.ts';
import { PrivilegedRequests } from './privileged-requests.ts';
import type { Privileges } from './privileges.ts';

const juliet = Jid.parse('juliet@a.lit');
const privileges = {
  covers: ({ domain }: Jid) => domain === 'a.lit',
  iq: (ns: string, type?: string) => ns === 'urn:a' && type === 'get',
} as unknown as Privileges;

function setUp(self = 'aa') {
  const routed: Stanza[] = [];
  const peers = new Peers();
  const requests = new PrivilegedRequests({
    self,
    peers,
    route: (stanza) => void routed.push(stanza),
    timeoutMs: () => 1000,
  });
  onTestFinished(() => requests[Symbol.dispose]());
  return { requests, routed, peers };
}

const asked = (inner: Element, type = 'get', to: Jid = juliet): Iq =>
  iq({ from: Jid.parse('irc.a.lit'), to, type, id: '1' }, Element.of('privileged_iq', NS.privilege, {}, inner));

const inner = (attributes: object = {}, ns = 'urn:a') =>
  Element.of('iq', NS.client, { type: 'get', id: '2', to: 'romeo@b.lit', ...attributes }, Element.of('query', ns));

it('asks in the name of the user, and gives the answer of whoever was asked to the component', () => {
  const { requests, routed } = setUp();
  requests.send(asked(inner()), privileges);
  const [request] = routed.splice(0) as [Iq];
  expect([String(request.from), String(request.to), request.payload?.ns]).toEqual([
    'juliet@a.lit',
    'romeo@b.lit',
    'urn:a',
  ]);
  const answer = request.result(Element.of('query', 'urn:a'));
  expect(requests.take(answer.withFrom(Jid.parse('tybalt@b.lit')))).toBe(false);
  expect(requests.take(answer.with({ id: 'another' }))).toBe(false);
  expect(requests.take(answer)).toBe(true);
  expect(requests.take(answer)).toBe(false);
  expect(routed.map(String)).toEqual([
    `<iq to='irc.a.lit' from='juliet@a.lit' id='1' type='result'><privilege xmlns='${NS.privilege}'>` +
      `<forwarded xmlns='${NS.forward}'><iq xmlns='jabber:client' to='juliet@a.lit' from='romeo@b.lit' id='2' type='result'>` +
      `<query xmlns='urn:a'/></iq></forwarded></privilege></iq>`,
  ]);
});

it('finds its way back from the node where the answer comes', async () => {
  const [one, two] = [setUp('aa'), setUp('bb')];
  two.peers.connect(
    async () => {},
    (node, subject, text) => (node === 'aa' ? one.peers.receive(subject, text) : Promise.resolve(false)),
  );
  one.requests.send(asked(inner()), privileges);
  const [request] = one.routed.splice(0) as [Iq];
  expect(two.requests.take(request.result())).toBe(true);
  await vi.waitFor(() => expect(one.routed).toHaveLength(1));
});

it('says so where nobody answers', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { requests, routed } = setUp();
  requests.send(asked(inner()), privileges);
  routed.splice(0);
  await vi.advanceTimersByTimeAsync(1000);
  expect(String(routed[0])).toContain('remote-server-timeout');
});

it.each([
  ['for nobody of ours', asked(inner(), 'get', Jid.parse('romeo@b.lit'))],
  ['for a resource', asked(inner(), 'get', juliet.withResource('x'))],
  ['for the server', asked(inner(), 'get', Jid.parse('a.lit'))],
  ['with another type', asked(inner({ type: 'set' }))],
  ['in the name of somebody else', asked(inner({ from: 'romeo@a.lit' }))],
  ['of another namespace', asked(inner({}, 'urn:b'))],
  ['with no request of a client in it', asked(Element.of('iq', 'jabber:server', { type: 'get', id: '2' }))],
])('refuses a request %s', (_, request) => {
  const { requests } = setUp();
  expect(() => requests.send(request, privileges)).toThrow(expect.objectContaining({ condition: 'forbidden' }));
});
