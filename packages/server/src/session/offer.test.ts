import { Jid, JidError } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { decodeOffer, encodeOffer } from './offer.ts';

it('is read as it was written', () => {
  for (const account of ['juliet@capulet.lit', 'ромео@монтекки.рф'].map((text) => Jid.parse(text))) {
    const offer = { owner: '0'.repeat(16), sid: 'a'.repeat(16), account, epoch: 7 };
    expect(decodeOffer(encodeOffer(offer))).toEqual(offer);
  }
});

it('is nothing else', () => {
  for (const text of ['', 'owner', 'owner sid', 'owner sid 7', 'owner sid 7 @', 'owner sid x juliet@capulet.lit'])
    expect(() => decodeOffer(text)).toThrow(JidError);
});
