import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { type Iq, iq, type Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Peers } from '../peers.ts';
import { ComponentRequests } from './component-requests.ts';

const request = {
  type: 'get' as const,
  from: Jid.parse('a.lit'),
  whose: Jid.parse('romeo@a.lit/orchard'),
  payload: Element.of('query', 'urn:a'),
};

function setUp(self: string, fail?: () => void) {
  const given: Stanza[] = [];
  const peers = new Peers();
  const give = (stanza: Stanza) => {
    fail?.();
    given.push(stanza);
  };
  const requests = new ComponentRequests({ self, peers, give });
  onTestFinished(() => requests[Symbol.dispose]());
  return { requests, given, peers };
}

it('has the answer of the component that was asked, whatever node it comes to', async () => {
  const [one, two] = [setUp('aa'), setUp('bb')];
  two.peers.connect(
    async () => {},
    (node, subject, text) => (node === 'aa' ? one.peers.receive(subject, text) : Promise.resolve(false)),
  );
  const answer = one.requests.send('irc.a.lit', request);
  const [asked] = one.given as [Iq];
  expect(one.requests.take(asked.result().withFrom(Jid.parse('icq.a.lit')), 'icq.a.lit')).toBe(true); // and nothing else
  expect(two.requests.take(asked.result(), 'irc.a.lit')).toBe(true);
  expect((await answer).type).toBe('result');
  expect(one.requests.take(iq({ to: request.from, type: 'result', id: '1' }), 'irc.a.lit')).toBe(false);
});

it('lets nobody who asks without end keep others from asking', async () => {
  const { requests, given } = setUp('aa');
  const asking = (whose: string) => requests.send('irc.a.lit', { ...request, whose: Jid.parse(whose) });
  const all = Array.from({ length: 1000 }, (_, n) => asking(`user${n}@evil.example/a`).catch(() => {}));
  await expect(asking('another@evil.example')).rejects.toThrow('resource-constraint');
  const ours = Array.from({ length: 1500 }, (_, n) => asking(`user${n}@a.lit/a`).catch(() => {}));
  expect(given.length).toBe(2500);
  requests.take((given[0] as Iq).result(), 'irc.a.lit');
  await all[0];
  const again = asking('another@evil.example').catch(() => {});
  expect(given.length).toBe(2501);
  requests[Symbol.dispose]();
  await Promise.all([...all, ...ours, again]);
});

it('says where nobody takes it, or nobody answers', async () => {
  const absent = setUp('aa', () => {
    throw new StanzaError('service-unavailable');
  });
  await expect(absent.requests.send('irc.a.lit', request)).rejects.toThrow('service-unavailable');
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const mute = setUp('aa').requests.send('irc.a.lit', request);
  const failed = expect(mute).rejects.toThrow('remote-server-timeout');
  await vi.advanceTimersByTimeAsync(30_000);
  await failed;
});
