import { NS } from '@parley/xmpp/namespaces';
import { clientOf, type XmppPeer } from '../services/xmpp-peer.ts';

export const VCARD = `<vCard xmlns='${NS.vcard}'><FN>Juliet Capulet &amp; more</FN></vCard>`;
export const PRIVATE = `<exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick></exodus>`;

/** Juliet and Romeo, who know each other, with all that a server may keep of them; Juliet is away, and messages wait for her. */
export async function makeAccounts(peer: XmppPeer): Promise<void> {
  const [juliet, romeo] = [await clientOf(peer, 'juliet'), await clientOf(peer, 'romeo')];
  for (const client of [juliet, romeo]) client.send('<presence/>');
  const item = `<item jid='${romeo.bare}' name='Romeo &lt;3'><group>Friends</group><group>Verona</group></item>`;
  await juliet.request('set', `<query xmlns='${NS.roster}'>${item}</query>`);
  juliet.send(`<presence type='subscribe' to='${romeo.bare}'/>`);
  await romeo.take((element) => element.attr('type') === 'subscribe');
  romeo.send(`<presence type='subscribed' to='${juliet.bare}'/><presence type='subscribe' to='${juliet.bare}'/>`);
  await juliet.take((element) => element.attr('type') === 'subscribe');
  juliet.send(`<presence type='subscribed' to='${romeo.bare}'/>`);
  await romeo.take((element) => element.name === 'presence' && element.attr('from') === juliet.jid);
  const paris = await clientOf(peer, 'paris');
  paris.send(`<presence/><presence type='subscribe' to='${juliet.bare}'/>`);
  await juliet.take((element) => element.attr('from')?.startsWith('paris') === true);
  await juliet.request('set', VCARD);
  await juliet.request('set', `<query xmlns='${NS.private}'>${PRIVATE}</query>`);
  await juliet.request('set', `<block xmlns='${NS.blocking}'><item jid='tybalt@example.com'/></block>`);
  juliet.send('</stream:stream>');
  await juliet.closed;
  for (const words of ['Good night', 'good night', 'parting is such sweet sorrow']) {
    romeo.send(`<message type='chat' id='${words.length}' to='${juliet.bare}'><body>${words}</body></message>`);
  }
  await romeo.request('get', `<ping xmlns='${NS.ping}'/>`, peer.domain);
  for (const client of [romeo, paris]) client.send('</stream:stream>');
  await Promise.all([romeo.closed, paris.closed]);
}
