import { expect, it } from 'vitest';
import { partHost } from '../../../../tests/support/part-host.ts';
import { rosterPart } from './roster-part.ts';

const query = (content: string) => `<query xmlns='jabber:iq:roster'>${content}</query>`;
const ROMEO = "<item jid='romeo@x' name='R' subscription='both' approved='true'><group>Friends</group></item>";
const request = (ns: string, content = '') =>
  `<presence xmlns='${ns}' type='subscribe' from='paris@x/y' id='1'>${content}</presence>`;
const nick = "<nick xmlns='http://jabber.org/protocol/nick'>P</nick>";

it('writes what it reads, and twice is as good as once', async () => {
  const host = await partHost(rosterPart);
  expect([query(''), request('jabber:client'), "<query xmlns='urn:x'/>"].map(host.reads)).toEqual([true, true, false]);
  expect(await host.written()).toBe('');
  for (let time = 0; time < 2; time++) {
    expect(await host.read(query(`${ROMEO}<item jid='gone@x' subscription='remove'/>`))).toEqual([]);
    expect(await host.read(request('jabber:client', nick))).toEqual([]);
  }
  const waits = `<presence xmlns='jabber:client' to='juliet@capulet.com' from='paris@x' id='1' type='subscribe'>${nick}</presence>`;
  expect(await host.written()).toBe(query(ROMEO) + waits);
  const other = await partHost(rosterPart);
  for (const text of [query(ROMEO), waits]) await other.read(text);
  expect(await other.written()).toBe(query(ROMEO) + waits);
  await host.clear();
  expect(await host.written()).toBe('');
});

it('reads requests that Prosody gives no namespace', async () => {
  const host = await partHost(rosterPart);
  expect(await host.read(request('urn:xmpp:pie:0', '<status/>'))).toEqual([]);
  expect(await host.written()).toContain("from='paris@x'");
});

it('tells of what it cannot take', async () => {
  const host = await partHost(rosterPart, { roster: { maxItems: 1, maxRequests: 1 } });
  expect(await host.read(query("<item jid='@'/>"))).toEqual(['A contact has no address that is one, and is left out.']);
  expect(await host.read(query("<item jid='a@x'/><item jid='b@x'/>"))).toEqual([
    expect.stringMatching(/^1 contacts are left out/),
  ]);
  expect(await host.read("<presence xmlns='jabber:client' from='a@x'/>")).toEqual([
    expect.stringMatching(/no subscription request/),
  ]);
  await host.read(request('jabber:client'));
  expect(await host.read(request('jabber:client').replace('paris', 'other'))).toEqual([
    expect.stringMatching(/maxRequests/),
  ]);
});
