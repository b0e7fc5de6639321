import { Jid } from '@parley/xmpp/jid';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeItem, encodeItem, itemElement, type RosterItem, removedItemElement } from './roster-item.ts';

const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', ''));

const anyItem: fc.Arbitrary<RosterItem> = fc.record({
  jid: fc.constant(Jid.parse('nurse@capulet.example')),
  subscription: fc.constantFrom('none', 'to', 'from', 'both'),
  ask: fc.boolean(),
  approved: fc.boolean(),
  name: fc.option(
    text.filter((name) => name !== ''),
    { nil: undefined },
  ),
  groups: fc.array(text.filter((name) => name !== '')),
  version: fc.nat(),
});

describe('what is kept of an item', () => {
  it('reads as it was written', () => {
    fc.assert(
      fc.property(anyItem, (item) => {
        const kept = Buffer.from(`${item.version}\0${encodeItem(item)}`);
        expect(decodeItem('nurse@capulet.example', kept)).toEqual(item);
      }),
    );
  });

  it('is small', () => {
    const item = decodeItem('nurse@capulet.example', Buffer.from('1700000000000\0b+\0Nurse\0Household'));
    expect(encodeItem(item)).toBe('b+\0Nurse\0Household');
    expect(encodeItem({ ...item, subscription: 'none', ask: true, approved: false, name: undefined, groups: [] })).toBe(
      'n?\0',
    );
  });

  it('is not guessed at', () => {
    for (const kept of ['', '1', '1\0', '1\0x\0']) {
      expect(() => decodeItem('nurse@capulet.example', Buffer.from(kept))).toThrow('cannot be read');
    }
  });
});

describe('what clients see of an item', () => {
  it('is everything', () => {
    const item = decodeItem('nurse@capulet.example', Buffer.from('7\0f?+\0N & M\0A\0B'));
    expect(itemElement(item).toString()).toBe(
      "<item xmlns='jabber:iq:roster' jid='nurse@capulet.example' name='N &amp; M' subscription='from' ask='subscribe' " +
        "approved='true'><group>A</group><group>B</group></item>",
    );
  });

  it('leaves out what is not there', () => {
    expect(itemElement(decodeItem('capulet.example', Buffer.from('7\0n\0'))).toString()).toBe(
      "<item xmlns='jabber:iq:roster' jid='capulet.example' subscription='none'/>",
    );
  });

  it('says when it is gone', () => {
    expect(removedItemElement(Jid.parse('nurse@capulet.example')).toString()).toBe(
      "<item xmlns='jabber:iq:roster' jid='nurse@capulet.example' subscription='remove'/>",
    );
  });
});
