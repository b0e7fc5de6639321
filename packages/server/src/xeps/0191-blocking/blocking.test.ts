import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import { befriend } from '../../../../../tests/support/contacts.ts';
import { startServer } from '../../../../../tests/support/server.ts';
import presence from '../../im/presence.ts';
import roster from '../../im/roster.ts';
import subscription from '../../im/subscription.ts';
import offline from '../0160-offline/offline.ts';
import blocking from './blocking.ts';

const items = (...jids: string[]) => jids.map((jid) => `<item jid='${jid}'/>`).join('');
const request = (name: string, ...jids: string[]) => `<${name} xmlns='${NS.blocking}'>${items(...jids)}</${name}>`;

async function start() {
  const modules = [roster, subscription, presence, blocking, offline];
  const server = await startServer({ modules });
  const juliet = await server.online('juliet@localhost/balcony');
  const romeo = await server.online('romeo@localhost/orchard');
  return { server, juliet, romeo };
}

describe('somebody blocked', () => {
  it.each([
    ['a message', `<message id='m'><body>hi</body></message>`, 'service-unavailable'],
    ['a headline', `<message id='m' type='headline'/>`, 'service-unavailable'],
    ['a request', `<iq id='m' type='get'><x xmlns='urn:x'/></iq>`, 'service-unavailable'],
    ['an error', `<message id='m' type='error'/>`, undefined],
    ['a result', `<iq id='m' type='result'/>`, undefined],
    ['presence', `<presence id='m'/>`, undefined],
    ['a subscription', `<presence id='m' type='subscribe'/>`, undefined],
    ['a probe', `<presence id='m' type='probe'/>`, undefined],
  ])('gets nothing through: %s', async (_, stanza, condition) => {
    const { juliet, romeo } = await start();
    await juliet.request('set', request('block', romeo.bare));
    for (const to of [juliet.bare, juliet.jid]) romeo.send(stanza.replace(' ', ` to='${to}' `));
    const answers = await romeo.sync();
    expect(answers.map((answer) => answer.child('error')?.firstChild?.name)).toEqual(
      condition === undefined ? [] : [condition, condition],
    );
    expect(await juliet.sync()).toEqual([]);
    await juliet.request('set', request('unblock'));
    romeo.send(`<message to='${juliet.bare}'><body>again</body></message>`);
    expect((await juliet.nextMessage()).childText('body')).toBe('again');
  });

  it.each([
    ['a message', `<message id='m'><body>hi</body></message>`, 'not-acceptable'],
    ['a request', `<iq id='m' type='get'><x xmlns='urn:x'/></iq>`, 'not-acceptable'],
    ['presence', `<presence id='m'/>`, 'not-acceptable'],
    ['an error', `<message id='m' type='error'/>`, undefined],
  ])('is not written to: %s', async (_, stanza, condition) => {
    const { juliet, romeo } = await start();
    await juliet.request('set', request('block', romeo.bare));
    juliet.send(stanza.replace(' ', ` to='${romeo.jid}' `));
    const [answer, ...others] = await juliet.sync();
    expect(others).toEqual([]);
    expect(answer?.attr('from')).toBe(condition && romeo.jid);
    expect(answer?.child('error')?.elements.map(({ name, ns }) => `${name} ${ns}`)).toEqual(
      condition && [`${condition} ${NS.stanzas}`, `blocked ${NS.blockingErrors}`],
    );
    expect(await romeo.sync()).toEqual([]);
  });

  it('sees the account go, and come again when that is over', async () => {
    const { server, juliet, romeo } = await start();
    await befriend(juliet, romeo);
    const phone = await server.online('juliet@localhost/phone');
    await romeo.sync();

    await juliet.request('set', request('block', romeo.bare));
    expect((await romeo.nextPresence(juliet.jid)).attr('type')).toBe('unavailable');
    expect((await romeo.nextPresence(phone.jid)).attr('type')).toBe('unavailable');
    juliet.send('<presence><show>away</show></presence>');
    await phone.close();
    expect(await romeo.sync()).toEqual([]);
    romeo.send(`<presence to='${juliet.bare}' type='probe'/><presence><show>dnd</show></presence>`);
    expect((await romeo.sync()).map((stanza) => stanza.attr('from'))).toEqual([romeo.jid]);
    expect((await juliet.sync()).filter((stanza) => stanza.attr('from') === romeo.jid)).toEqual([]);

    await juliet.request('set', request('unblock', romeo.bare));
    const back = await romeo.nextPresence(juliet.jid);
    expect(back.attr('type')).toBeUndefined();
    expect(back.childText('show')).toBe('away');
  });

  it('does not see the account come', async () => {
    const { server, juliet, romeo } = await start();
    await befriend(juliet, romeo);
    await juliet.request('set', request('block', romeo.bare));
    await juliet.close();
    await romeo.sync();
    const again = await server.online('juliet@localhost/balcony');
    await again.close();
    expect(await romeo.sync()).toEqual([]);
  });

  it('sees presence end that was for them alone', async () => {
    const { juliet, romeo } = await start();
    juliet.send(`<presence to='${romeo.jid}'/>`);
    await romeo.nextPresence(juliet.jid);
    await juliet.request('set', request('block', 'localhost'));
    expect((await romeo.nextPresence(juliet.jid)).attr('type')).toBe('unavailable');
    await juliet.close();
    expect(await romeo.sync()).toEqual([]);
  });

  it('learns nothing from a block that changes nothing', async () => {
    const { juliet, romeo } = await start();
    await befriend(juliet, romeo);
    await juliet.request('set', request('block', romeo.bare));
    await romeo.sync();
    await juliet.request('set', request('block', romeo.bare, romeo.jid, 'localhost'));
    await juliet.request('set', request('unblock', romeo.bare, 'nobody@localhost'));
    expect(await romeo.sync()).toEqual([]);
  });

  it('is not heard with what was stored before', async () => {
    const { server, juliet, romeo } = await start();
    const nurse = await server.online('nurse@localhost/hall');
    await juliet.request('set', request('block', 'x@localhost'));
    juliet.send(`<presence type='unavailable'/>`);
    await juliet.sync();
    for (const client of [romeo, nurse]) {
      client.send(`<message to='${juliet.bare}' type='chat'><body>from ${client.bare}</body></message>`);
      await client.sync();
    }
    await juliet.request('set', request('block', romeo.bare));
    juliet.send('<presence/>');
    expect((await juliet.nextMessage()).childText('body')).toBe('from nurse@localhost');
  });
});

it('leaves a way to the server and to the account’s own resources', async () => {
  const { server, juliet } = await start();
  const phone = await server.online('juliet@localhost/phone');
  await juliet.request('set', request('block', 'localhost', 'juliet@localhost', 'juliet@localhost/phone'));
  await juliet.sync();
  juliet.send(`<message to='${phone.jid}'><body>hi</body></message>`);
  expect((await phone.nextMessage()).childText('body')).toBe('hi');
  phone.send(`<presence/><message to='${juliet.bare}'><body>ho</body></message>`);
  expect((await juliet.nextPresence(phone.jid)).attr('type')).toBeUndefined();
  expect((await juliet.nextMessage()).childText('body')).toBe('ho');
  const answer = await juliet.request('set', request('unblock'), juliet.bare);
  expect(answer.attr('type')).toBe('result');
});

it('does not disturb others', async () => {
  const { server, juliet, romeo } = await start();
  const nurse = await server.online('nurse@localhost/hall');
  await juliet.request('set', request('block', romeo.bare));
  nurse.send(`<message to='${juliet.bare}'><body>hi</body></message>`);
  expect((await juliet.nextMessage()).childText('body')).toBe('hi');
  romeo.send(`<message to='${nurse.bare}'><body>ho</body></message>`);
  expect((await nurse.nextMessage()).childText('body')).toBe('ho');
});
