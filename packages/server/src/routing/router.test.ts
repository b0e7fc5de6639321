import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { iq, message, presence, type Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { describe, expect, it } from 'vitest';
import { IqTable } from '../iq.ts';
import type { Awaitable } from '../pipeline.ts';
import type { Session } from '../session/session.ts';
import { errorFor } from './answer.ts';
import { Router } from './router.ts';

const romeo = Jid.parse('romeo@montague.lit/orchard');
const query = Element.of('query', 'urn:a');
const words = (stanza: Stanza) =>
  `${stanza.kind} ${stanza.type ?? '-'} to ${stanza.to} ${stanza.payload?.firstChild?.name ?? ''}`.trim();

/** A router, and where everything went: accounts take everything unless `toAccount` says otherwise. */
function setUp(toAccount: (stanza: Stanza) => Awaitable<void> = () => {}) {
  const went: string[] = [];
  const answers: string[] = [];
  const faults: unknown[] = [];
  const table = new IqTable(() => true);
  const router = new Router({
    iq: table,
    isLocalDomain: (domain) => domain === 'montague.lit',
    toAccount(stanza) {
      went.push(`account: ${words(stanza)}`);
      return toAccount(stanza);
    },
    sendRemote(stanza) {
      went.push(`remote: ${words(stanza)}`);
      throw new StanzaError('remote-server-not-found');
    },
    errorFor: (stanza, error) => errorFor(stanza, error, (fault) => faults.push(fault)),
    passes: (_, error) => (error instanceof KeyspaceError ? Promise.resolve() : undefined),
    onAnswer: (answer) => answers.push(`${answer.id}`),
  });
  return { router, table, went, answers, faults };
}

const to = (text: string) => ({ from: romeo, to: Jid.parse(text), id: '1' });

describe('Router', () => {
  it('finds accounts, services and other servers by the domain', async () => {
    const { router, went } = setUp();
    router.addService('rooms.montague.lit', (stanza) => void went.push(`service: ${words(stanza)}`));
    for (const address of [
      'romeo@montague.lit',
      'hall@rooms.montague.lit',
      'rooms.montague.lit',
      'juliet@capulet.lit',
    ]) {
      await router.route(message(to(address)));
    }
    expect(went).toEqual([
      'account: message - to romeo@montague.lit',
      'service: message - to hall@rooms.montague.lit',
      'service: message - to rooms.montague.lit',
      'remote: message - to juliet@capulet.lit',
      'account: message error to romeo@montague.lit/orchard remote-server-not-found',
    ]);
    expect([...router.serviceDomains]).toEqual(['rooms.montague.lit']);
    router.removeService('rooms.montague.lit');
    await router.route(presence({ ...to('rooms.montague.lit'), type: 'unavailable' }));
    expect(went.at(-1)).toBe('remote: presence unavailable to rooms.montague.lit');
  });

  it('finds services whose domains change, and tells whether a domain is one of ours', async () => {
    const { router, went } = setUp();
    router.addService('rooms.montague.lit', (stanza) => void went.push(`service: ${words(stanza)}`));
    router.addServices({
      find: (domain) =>
        domain.endsWith('.montague.lit') ? (stanza) => void went.push(`gateway: ${words(stanza)}`) : undefined,
      shown: () => ['irc.montague.lit'],
    });
    for (const domain of ['rooms.montague.lit', 'irc.montague.lit']) await router.route(message(to(domain)));
    expect(went).toEqual(['service: message - to rooms.montague.lit', 'gateway: message - to irc.montague.lit']);
    expect(router.serviceDomains).toEqual(['rooms.montague.lit', 'irc.montague.lit']);
    const domains = ['montague.lit', 'rooms.montague.lit', 'a.montague.lit', 'capulet.lit'];
    expect(domains.map((domain) => router.serves(domain))).toEqual([true, true, true, false]);
  });

  it('serves a domain once', () => {
    const { router } = setUp();
    router.addService('rooms.montague.lit', () => {});
    for (const domain of ['rooms.montague.lit', 'montague.lit']) {
      expect(() => router.addService(domain, () => {})).toThrow('served already');
    }
  });

  it.each([
    ['at once', (answer: () => Element | undefined) => answer()],
    ['later', async (answer: () => Element | undefined) => answer()],
  ])('has requests to the domain answered once, %s', async (_, when) => {
    const { router, table, went } = setUp();
    table.get('urn:a', 'query', () => when(() => query), { at: ['domain'] });
    table.set(
      'urn:a',
      'query',
      () =>
        when(() => {
          throw new StanzaError('forbidden');
        }),
      { at: ['domain'] },
    );
    for (const type of ['get', 'set']) await router.route(iq({ ...to('montague.lit'), type }, query));
    await router.route(iq({ ...to('montague.lit'), type: 'get' }, Element.of('other', 'urn:a')));
    expect(went).toEqual([
      'account: iq result to romeo@montague.lit/orchard',
      'account: iq error to romeo@montague.lit/orchard forbidden',
      'account: iq error to romeo@montague.lit/orchard service-unavailable',
    ]);
  });

  it('gives answers to whoever asked, and answers nothing to them', async () => {
    const { router, went, answers } = setUp();
    const session = {} as Session;
    for (const type of ['result', 'error']) {
      await router.route(iq({ ...to('montague.lit'), id: type, type }), session);
      await router.route(iq({ ...to('montague.lit'), id: `${type} from nobody`, type }));
    }
    await router.route(message({ ...to('montague.lit'), type: 'error' }));
    await router.route(presence(to('montague.lit')));
    expect([answers, went]).toEqual([['result', 'error'], []]);
    await router.route(message(to('montague.lit')));
    expect(went).toEqual(['account: message error to romeo@montague.lit/orchard service-unavailable']);
  });

  it.each([
    [
      'at once',
      () => {
        throw new TypeError('a bug');
      },
    ],
    ['later', () => Promise.reject(new TypeError('a bug'))],
  ])('never throws nor goes in circles where everything fails %s', async (_, fail) => {
    const { router, went, faults } = setUp(fail);
    await router.route(message(to('juliet@montague.lit')));
    expect(went).toEqual([
      'account: message - to juliet@montague.lit',
      'account: message error to romeo@montague.lit/orchard internal-server-error',
    ]);
    expect(faults.length).toBeGreaterThan(0);
    await router.route(message({ from: romeo }));
    await router.route(message({ to: romeo }));
  });

  it('begins anew with what had to wait', async () => {
    let attempts = 0;
    const { router, went } = setUp(() => {
      if (attempts++ < 2) throw new KeyspaceError('away', 'gone');
    });
    await router.route(message(to('juliet@montague.lit')));
    expect(went).toEqual(Array(3).fill('account: message - to juliet@montague.lit'));
  });

  it('makes no promise where nothing waits', () => {
    const { router, table } = setUp();
    table.get('urn:a', 'query', () => undefined, { at: ['domain'] });
    expect(router.route(message(to('juliet@montague.lit')))).toBeUndefined();
    expect(router.route(iq({ ...to('montague.lit'), type: 'get' }, query))).toBeUndefined();
    expect(router.route(message(to('capulet.lit')))).toBeUndefined();
  });
});
