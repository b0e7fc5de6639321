import { setImmediate as nextTurn } from 'node:timers/promises';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { iq, message, type Stanza } from '@parley/xmpp/stanza';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../session/session.ts';
import { InboundDeliveries } from './inbound-deliveries.ts';
import { decodeAnswers, encodeDeliver } from './items.ts';

const SID = '1'.repeat(16);
const juliet = Jid.parse('juliet@capulet.lit/balcony');
const romeo = Jid.parse('romeo@montague.lit/orchard');

let here: { jid: Jid; account: Jid; movedAway: boolean; send(stanza: Stanza): void | Promise<void> } | undefined;
let taken: Stanza[];
let routed: Stanza[];
let late: Stanza[];
let answers: [to: string, id: number, done: boolean][];
let items: number;
let inbound: InboundDeliveries;

beforeEach(() => {
  [taken, routed, late, answers, items] = [[], [], [], [], 0];
  here = { jid: juliet, account: juliet.bare, movedAway: false, send: (stanza) => void taken.push(stanza) };
  inbound = new InboundDeliveries({
    own: (sid) => (sid === SID ? (here as unknown as Session) : undefined),
    send: (to, item) => {
      items++;
      for (const { id, done } of decodeAnswers(item)) answers.push([to, id, done]);
    },
    route: (stanza) => void routed.push(stanza),
    onLate: (stanza) => void late.push(stanza),
  });
});

const chat = (name: string) => message({ from: romeo, to: juliet, id: name, type: 'chat' });

const come = (id: number, stanza: Stanza = chat(String(id)), first = true, from = 'b') =>
  inbound.receive(from, encodeDeliver({ id, sid: SID, first, origin: stanza.origin }, stanza.toString()));

describe('a stanza from another node', () => {
  it('is taken with its origin, and answered with others at the end of the turn', async () => {
    const origin = { sid: 'a'.repeat(16), k: 3, effect: 1 };
    come(1, chat('1').withOrigin(origin));
    come(2, chat('2'), false);
    expect(answers).toEqual([]);
    await nextTurn();
    expect([answers, items]).toEqual([
      [
        ['b', 1, true],
        ['b', 2, true],
      ],
      1,
    ]);
    expect(taken.map((stanza) => [stanza.id, stanza.origin])).toEqual([
      ['1', origin],
      ['2', undefined],
    ]);
  });

  it('is answered when it is committed', async () => {
    const committed = Promise.withResolvers<void>();
    if (here) here.send = () => committed.promise;
    come(1);
    await nextTurn();
    expect(answers).toEqual([]);
    committed.resolve();
    await nextTurn();
    await nextTurn();
    expect(answers).toEqual([['b', 1, true]]);
  });

  it('is refused where the session moves away meanwhile', async () => {
    const committed = Promise.withResolvers<void>();
    if (here) here.send = () => committed.promise;
    come(1);
    if (here) here.movedAway = true;
    committed.resolve();
    await nextTurn();
    await nextTurn();
    expect(answers).toEqual([['b', 1, false]]);
  });

  it('is refused where the session is not here, with all that went after it', async () => {
    const session = here;
    here = undefined;
    come(1);
    here = session;
    come(2, chat('2'), false);
    come(3, chat('3'), false, 'c'); // another sender
    come(1);
    come(2, chat('2'), false);
    await nextTurn();
    expect(answers.sort()).toEqual([
      ['b', 1, false],
      ['b', 1, true],
      ['b', 2, false],
      ['b', 2, true],
      ['c', 3, true],
    ]);
    expect(taken.map(({ id }) => id)).toEqual(['3', '1', '2']);
  });

  it('is not answered where nobody asks, and goes elsewhere where the session is not here', async () => {
    come(0);
    here = undefined;
    come(0, chat('late'));
    await nextTurn();
    expect([answers, taken.length, late.map(({ id }) => id)]).toEqual([[], 1, ['late']]);
  });

  it('that cannot be read is told of, and not sent again', async () => {
    const item = encodeDeliver({ id: 1, sid: SID, first: true, origin: undefined }, '<message');
    expect(() => inbound.receive('b', item)).toThrow();
    await nextTurn();
    expect([answers, taken]).toEqual([[['b', 1, true]], []]);
  });

  it('is looked at anew where it asks a client something', () => {
    const ask = (from: Jid, type: 'get' | 'result') =>
      come(1, iq({ from, to: juliet, id: `${from.local} ${type}`, type }, Element.of('query', 'urn:x')));
    ask(romeo, 'get');
    ask(romeo, 'result');
    ask(juliet.bare, 'get');
    expect([routed.map(({ id }) => id), taken.map(({ id }) => id)]).toEqual([
      ['romeo get'],
      ['romeo result', 'juliet get'],
    ]);
  });
});
