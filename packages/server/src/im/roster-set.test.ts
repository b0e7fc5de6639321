import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { describe, expect, it, vi } from 'vitest';
import { readRosterSet } from './roster-set.ts';

const account = Jid.parse('juliet@capulet.example');
const onLimit = vi.fn();
const limits = { maxGroupsPerItem: 2, maxNameBytes: 10, onLimit };

type Attributes = Parameters<typeof Element.of>[2];
const item = (attributes: Attributes, ...groups: string[]) =>
  Element.of('item', NS.roster, attributes, ...groups.map((group) => Element.of('group', NS.roster, {}, group)));
const read = (...items: Element[]) => readRosterSet(Element.of('query', NS.roster, {}, ...items), account, limits);

function conditionOf(...items: Element[]): string {
  try {
    read(...items);
  } catch (error) {
    if (error instanceof StanzaError) return error.condition;
  }
  return 'none';
}

const jid = 'Nurse@capulet.example';

describe('a roster set', () => {
  it('is read', () => {
    expect(read(item({ jid, name: 'Nurse' }, 'A', 'B'))).toEqual({
      contact: Jid.parse('nurse@capulet.example'),
      remove: false,
      name: 'Nurse',
      groups: ['A', 'B'],
    });
    expect(read(item({ jid }))).toMatchObject({ name: undefined, groups: [] });
    expect(read(item({ jid, name: '' })).name).toBeUndefined();
    expect(read(item({ jid: 'icq.example' })).contact.toString()).toBe('icq.example');
  });

  it('may remove, whatever else it says', () => {
    expect(read(item({ jid, subscription: 'remove', name: 'far too long a name' }, 'A', 'A'))).toEqual({
      contact: Jid.parse('nurse@capulet.example'),
      remove: true,
      name: undefined,
      groups: [],
    });
  });

  it('says nothing else of subscriptions', () => {
    const set = read(item({ jid, subscription: 'both', ask: 'subscribe', approved: 'true' }));
    expect(Object.keys(set).toSorted()).toEqual(['contact', 'groups', 'name', 'remove']);
    expect(set.remove).toBe(false);
  });

  it('counts bytes and no foreign elements', () => {
    const foreign = Element.of('group', 'urn:example:other', {}, 'a name that is too long');
    expect(read(item({ jid, name: 'ééééé' }).append(foreign)).groups).toEqual([]);
    expect(conditionOf(item({ jid, name: 'éééééé' }))).toBe('not-acceptable');
  });

  it.each([
    ['bad-request', 'no item', []],
    ['bad-request', 'two items', [item({ jid }), item({ jid })]],
    ['bad-request', 'no jid', [item({ name: 'Nurse' })]],
    ['bad-request', 'a jid with a resource', [item({ jid: `${jid}/ward` })]],
    ['jid-malformed', 'no address', [item({ jid: 'a@b@c' })]],
    ['jid-malformed', 'an empty jid', [item({ jid: '' })]],
    ['not-allowed', 'the account itself', [item({ jid: account.toString() })]],
    ['not-allowed', 'the account itself, to be removed', [item({ jid: account.toString(), subscription: 'remove' })]],
    ['bad-request', 'a group twice', [item({ jid }, 'A', 'A')]],
    ['not-acceptable', 'a group without a name', [item({ jid }, '')]],
    ['not-acceptable', 'a long group', [item({ jid }, 'x'.repeat(11))]],
    ['not-acceptable', 'a long name', [item({ jid, name: 'x'.repeat(11) })]],
    ['policy-violation', 'too many groups', [item({ jid }, 'A', 'B', 'C')]],
  ] as const)('%s: %s', (condition, _, items) => {
    expect(conditionOf(...items)).toBe(condition);
  });

  it('has its limits counted', () => {
    onLimit.mockClear();
    conditionOf(item({ jid, name: 'x'.repeat(11) }));
    conditionOf(item({ jid }, 'A', 'B', 'C'));
    expect(onLimit.mock.calls).toEqual([['roster-name-bytes'], ['roster-groups']]);
  });
});
