import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import type { TestClient } from '../../../../../tests/support/client.ts';
import { startServer } from '../../../../../tests/support/server.ts';
import presence from '../../im/presence.ts';
import roster from '../../im/roster.ts';
import subscription from '../../im/subscription.ts';
import blocking from './blocking.ts';

const items = (...jids: string[]) => jids.map((jid) => `<item jid='${jid}'/>`).join('');
const request = (name: string, ...jids: string[]) => `<${name} xmlns='${NS.blocking}'>${items(...jids)}</${name}>`;

async function start(options: object = {}) {
  const modules = [roster, subscription, presence, blocking];
  const server = await startServer({ modules, config: { modules: { blocking: options } } as never });
  const juliet = await server.online('juliet@localhost/balcony');
  const romeo = await server.online('romeo@localhost/orchard');
  return { server, juliet, romeo };
}

const blocked = (client: TestClient) => async () => {
  const list = (await client.request('get', request('blocklist'))).child('blocklist', NS.blocking);
  return list?.elements.map((item) => item.attr('jid')).sort();
};

describe('the list', () => {
  it('is kept, told to clients that asked for it, and taken back', async () => {
    const { server, juliet } = await start();
    const phone = await server.online('juliet@localhost/phone');
    const list = blocked(juliet);
    expect(await list()).toEqual([]);
    await juliet.sync();

    const answer = await juliet.request('set', request('block', 'Romeo@Montague.net', 'paris@verona.lit/tomb'));
    expect(answer.attr('type')).toBe('result');
    expect(answer.elements).toEqual([]);
    const push = await juliet.nextIq();
    expect(push.attr('type')).toBe('set');
    expect(push.attr('from')).toBe('juliet@localhost');
    expect(push.child('block', NS.blocking)?.elements.map((item) => item.attr('jid'))).toEqual([
      'romeo@montague.net',
      'paris@verona.lit/tomb',
    ]);
    juliet.send(`<iq type='result' id='${push.attr('id')}'/>`);
    expect(await list()).toEqual(['paris@verona.lit/tomb', 'romeo@montague.net']);
    expect(await phone.sync()).toEqual([]); // it never asked

    await blocked(phone)();
    await juliet.request('set', request('unblock', 'romeo@montague.net'));
    for (const client of [juliet, phone]) {
      const unblocked = (await client.nextIq()).child('unblock', NS.blocking);
      expect(unblocked?.elements.map((item) => item.attr('jid'))).toEqual(['romeo@montague.net']);
    }
    expect(await list()).toEqual(['paris@verona.lit/tomb']);

    await juliet.request('set', request('unblock'));
    expect((await phone.nextIq()).child('unblock', NS.blocking)?.elements).toEqual([]);
    expect(await list()).toEqual([]);
  });

  it.each([
    ['nobody', request('block'), 'bad-request'],
    ['an item without an address', `<block xmlns='${NS.blocking}'><item/></block>`, 'bad-request'],
    ['what is no address', request('block', 'romeo@montague.net', '@'), 'jid-malformed'],
    ['something else', `<unblock xmlns='${NS.blocking}'><x/></unblock>`, 'bad-request'],
  ])('cannot hold %s', async (_, content, condition) => {
    const { juliet } = await start();
    await juliet.request('set', request('block', 'paris@verona.lit'));
    const answer = await juliet.request('set', content);
    expect(answer.child('error')?.child(condition, NS.stanzas)).toBeDefined();
    expect(await blocked(juliet)()).toEqual(['paris@verona.lit']);
  });

  it('has an end', async () => {
    const { server, juliet } = await start({ maxItems: 2 });
    await juliet.request('set', request('block', 'a@x.lit'));
    const answer = await juliet.request('set', request('block', 'b@x.lit', 'c@x.lit'));
    expect(answer.child('error')?.child('resource-constraint', NS.stanzas)).toBeDefined();
    expect(await blocked(juliet)()).toEqual(['a@x.lit']);
    const { limitsExceeded } = server.node.registry.metrics;
    expect(limitsExceeded.with({ limit: 'blocklist-items' }).value).toBe(1);
    expect((await juliet.request('set', request('block', 'a@x.lit', 'b@x.lit'))).attr('type')).toBe('result');
  });

  it('is nobody else’s business', async () => {
    const { juliet, romeo } = await start();
    for (const [type, content] of [
      ['get', request('blocklist')],
      ['set', request('block', 'a@x.lit')],
      ['set', request('unblock')],
    ] as const) {
      const answer = await romeo.request(type, content, juliet.bare);
      expect(answer.child('error')?.child('service-unavailable', NS.stanzas)).toBeDefined();
    }
  });
});
