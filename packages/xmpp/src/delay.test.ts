import { describe, expect, it } from 'vitest';
import { delayElement, readDelay, withoutDelaysOf } from './delay.ts';
import { Element } from './element.ts';
import { Jid } from './jid.ts';
import { NS } from './namespaces.ts';
import { message } from './stanza.ts';

const capulet = Jid.parse('capulet.com');
const time = Date.UTC(2002, 8, 10, 23, 8, 25);
const body = Element.of('body', NS.client, {}, 'O blessed, blessed night!');

describe('delay', () => {
  it('is written with the time in UTC and the reason', () => {
    expect(delayElement(capulet, time, 'Offline Storage').toString()).toBe(
      `<delay xmlns='urn:xmpp:delay' from='capulet.com' stamp='2002-09-10T23:08:25.000Z'>Offline Storage</delay>`,
    );
  });

  it('is read', () => {
    expect(readDelay(message({}, body, delayElement(capulet, time)))).toEqual({ from: capulet, time });
    expect(readDelay(message({}, body))).toBeUndefined();
  });

  it('passes over one whose time cannot be read', () => {
    const broken = Element.of('delay', NS.delay, { stamp: 'yesterday' });
    const anonymous = Element.of('delay', NS.delay, { from: '@', stamp: '2002-09-10T23:08:25Z' });
    expect(readDelay(message({}, broken, anonymous))).toEqual({ from: undefined, time });
  });

  it('is taken away where it speaks for us, however the address is written', () => {
    const forged = Element.of('delay', NS.delay, { from: 'CAPULET.com', stamp: '2002-09-10T23:08:25Z' });
    const foreign = delayElement(Jid.parse('room@rooms.example'), time);
    const clean = withoutDelaysOf(message({}, forged, body, foreign, forged), (from) => from.equals(capulet));
    expect(clean.children).toEqual([body, foreign]);
  });

  it('leaves a stanza as it is where there is nothing to take away', () => {
    const plain = message({}, body);
    const foreign = message({}, body, delayElement(Jid.parse('room@rooms.example'), time));
    for (const stanza of [plain, foreign]) expect(withoutDelaysOf(stanza, (from) => from.equals(capulet))).toBe(stanza);
  });
});
