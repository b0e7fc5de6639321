import { Jid } from '@parley/xmpp/jid';
import { iq, message, presence, type Stanza } from '@parley/xmpp/stanza';
import { describe, expect, it } from 'vitest';
import { isKept } from '../session/kept.ts';
import type { Route } from '../session/session.ts';
import { selectResources } from './resources.ts';

const account = Jid.parse('juliet@capulet.lit');

const route = (resource: string, available: boolean, priority = 0): Route => ({
  jid: account.withResource(resource),
  sessionId: resource,
  boundAt: 1,
  available,
  priority,
  interested: true,
  carbons: false,
});

const balcony = route('balcony', true, 5);
const chamber = route('chamber', true, 0);
const phone = route('phone', true, -1);
const cellar = route('cellar', false);
const ALL = [balcony, chamber, phone, cellar];

const names = (stanza: Stanza, routes: readonly Route[] = ALL) =>
  selectResources(stanza, routes)
    .map(({ jid }) => jid.resource)
    .join(' ');

const at = (resource: string) => (resource === '' ? account : account.withResource(resource));

describe('selectResources', () => {
  it('passes over one that was replaced and has not heard of it', () => {
    const stale = { ...balcony, sessionId: 'stale', boundAt: 0 };
    for (const routes of [
      [stale, balcony],
      [balcony, stale],
    ]) {
      expect(selectResources(message({ to: at('balcony'), type: 'chat' }), routes)).toEqual([balcony]);
    }
  });

  // to the bare address | to a resource that is there | to one that has sent no presence | to one that is not there
  it.each([
    ['normal', 'balcony chamber', 'phone', 'cellar', ''],
    ['chat', 'balcony chamber', 'phone', 'cellar', 'balcony chamber'],
    ['headline', 'balcony chamber', 'phone', 'cellar', ''],
    ['groupchat', '', 'phone', 'cellar', ''],
    ['error', '', 'phone', 'cellar', ''],
    ['unheard-of', 'balcony chamber', 'phone', 'cellar', ''],
    [undefined, 'balcony chamber', 'phone', 'cellar', ''],
  ])('message %s', (type, ...expected) => {
    expect(['', 'phone', 'cellar', 'gone'].map((resource) => names(message({ to: at(resource), type })))).toEqual(
      expected,
    );
  });

  it.each([
    [undefined, 'balcony chamber phone', 'phone', 'cellar', ''],
    ['unavailable', 'balcony chamber phone', 'phone', 'cellar', ''],
    ['error', '', 'phone', 'cellar', ''],
    ['subscribe', '', '', '', ''],
    ['subscribed', '', '', '', ''],
    ['unsubscribe', '', '', '', ''],
    ['unsubscribed', '', '', '', ''],
    ['probe', '', '', '', ''],
  ])('presence %s', (type, ...expected) => {
    expect(['', 'phone', 'cellar', 'gone'].map((resource) => names(presence({ to: at(resource), type })))).toEqual(
      expected,
    );
  });

  it.each(['get', 'set', 'result', 'error'])('iq %s', (type) => {
    expect(['', 'phone', 'cellar', 'gone'].map((resource) => names(iq({ to: at(resource), type, id: '1' })))).toEqual([
      '',
      'phone',
      'cellar',
      '',
    ]);
  });

  it('passes over sessions that may not get messages to the account, be they alone or not', () => {
    const chat = message({ to: account, type: 'chat' });
    expect(names(chat, [phone])).toBe('');
    expect(names(chat, [cellar])).toBe('');
    expect(names(chat, [phone, cellar])).toBe('');
    expect(names(chat, [chamber])).toBe('chamber');
    expect(names(chat, [])).toBe('');
  });
});

describe('isKept', () => {
  it.each([
    ['chat', true, true],
    ['normal', true, false],
    [undefined, true, false],
    ['unheard-of', true, false],
    ['headline', false, false],
    ['groupchat', false, false],
    ['error', false, false],
  ])('message %s', (type, bare, full) => {
    expect(isKept(message({ to: account, type }))).toBe(bare);
    expect(isKept(message({ to: at('gone'), type }))).toBe(full);
  });

  it('keeps messages only', () => {
    expect(isKept(presence({ to: account }))).toBe(false);
    expect(isKept(iq({ to: account, type: 'get', id: '1' }))).toBe(false);
  });
});
