import { Jid } from '@parley/xmpp/jid';
import { iq, message, presence, type Stanza } from '@parley/xmpp/stanza';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AccountContext } from '../hooks.ts';
import { type Awaitable, Pipeline } from '../pipeline.ts';
import type { Route } from '../session/session.ts';
import { AccountRouting } from './account.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const route = (resource: string): Route => ({
  jid: juliet.withResource(resource),
  sessionId: resource,
  boundAt: 1,
  available: true,
  priority: 0,
  interested: false,
  carbons: false,
});

function setUp(options: { routes?: readonly Route[]; exists?: () => Awaitable<boolean> }) {
  const went: string[] = [];
  const pipeline = new Pipeline<Stanza, AccountContext>(() => {});
  pipeline.use(
    'observe',
    (_, { account, targets }) => void went.push(`${account}: ${targets.map(({ sessionId }) => sessionId)}`),
  );
  const state = { routes: options.routes ?? [] };
  const accounts = new AccountRouting({
    toAccount: pipeline,
    journal: {
      append(targets, { origin }, done) {
        went.push(`delivered to ${targets.map(({ sessionId }) => sessionId)}${origin?.late ? ' late' : ''}`);
        done([]);
      },
    },
    exists: options.exists ?? (() => true),
    routesOf: () => state.routes,
    handleIq: (request) => void went.push(`answered ${request.id}`),
  });
  return { accounts, went, state, pipeline };
}

const to = (jid: Jid) => ({ to: jid, from: Jid.parse('romeo@montague.lit/orchard'), id: '1' });
const unavailable = expect.objectContaining({ condition: 'service-unavailable' });

describe('AccountRouting', () => {
  it('delivers to the resources that were chosen', () => {
    const { accounts, went } = setUp({ routes: [route('a'), route('b')] });
    accounts.receive(message({ ...to(juliet), type: 'chat' }), undefined);
    accounts.receive(message(to(juliet.withResource('b'))), undefined);
    expect(went).toEqual(['juliet@capulet.lit: a,b', 'delivered to a,b', 'juliet@capulet.lit: b', 'delivered to b']);
  });

  it('says of what had to wait after they were chosen that it comes late', async () => {
    const { accounts, went, pipeline } = setUp({ routes: [route('a')] });
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    onTestFinished(() => clock.mockRestore());
    let waits: number;
    pipeline.use('observe', async () => void clock.mockReturnValue(waits));
    const sent = message(to(juliet)).withOrigin({ sid: '1'.repeat(16), k: 1, effect: 0 });
    for (waits of [1999, 3999]) await accounts.receive(sent, undefined);
    expect(went.filter((what) => what.startsWith('delivered'))).toEqual(['delivered to a', 'delivered to a late']);
  });

  it('answers requests to the bare address itself', () => {
    const { accounts, went } = setUp({ routes: [route('a')] });
    accounts.receive(iq({ ...to(juliet), type: 'get' }), undefined);
    expect(went).toEqual(['juliet@capulet.lit: ', 'answered 1']);
  });

  it.each<[string, Stanza, boolean]>([
    ['a message', message({ ...to(juliet), type: 'chat' }), true],
    ['a headline', message({ ...to(juliet), type: 'headline' }), false],
    ['an error', message({ ...to(juliet), type: 'error' }), false],
    ['a request to a resource', iq({ ...to(juliet.withResource('gone')), type: 'get' }), true],
    ['presence', presence(to(juliet)), false],
  ])('says of %s that nobody takes it: %3$s', async (_, stanza, told) => {
    // for an account that is away, and for one that there is not, be that known at once or later
    for (const exists of [() => true, () => false, async () => true, async () => false]) {
      const { accounts } = setUp({ exists });
      const received = (async () => accounts.receive(stanza, undefined))();
      if (told) await expect(received).rejects.toEqual(unavailable);
      else await received;
    }
  });

  it('finds whoever has come while it was asked whether there is such an account', async () => {
    const { accounts, went, state } = setUp({ exists: async () => true });
    const received = accounts.receive(message({ ...to(juliet), type: 'chat' }), undefined);
    state.routes = [route('new')];
    await received;
    expect(went.at(-1)).toBe('delivered to new');
  });

  it('leaves what no resource may get to whoever stores it', () => {
    const { accounts, pipeline } = setUp({});
    pipeline.use('deliver', () => true);
    expect(accounts.receive(message({ ...to(juliet), type: 'chat' }), undefined)).toBeUndefined();
  });
});
