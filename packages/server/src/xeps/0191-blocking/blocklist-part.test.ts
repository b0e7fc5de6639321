import { expect, it } from 'vitest';
import { partHost } from '../../../../../tests/support/part-host.ts';
import { blocklistPart } from './blocklist-part.ts';

const list = (...jids: string[]) =>
  `<blocklist xmlns='urn:xmpp:blocking'>${jids.map((jid) => `<item jid='${jid}'/>`).join('')}</blocklist>`;

it('reads blocklists and privacy lists, and writes both', async () => {
  const host = await partHost(blocklistPart);
  expect([list(), "<query xmlns='jabber:iq:privacy'/>", "<query xmlns='jabber:iq:roster'/>"].map(host.reads)).toEqual([
    true,
    true,
    false,
  ]);
  expect(await host.written()).toBe('');
  expect(await host.read(list('tybalt@example.com', 'Example.ORG'))).toEqual([]);
  const written = await host.written();
  const [blocking = '', privacy = ''] = written.split(/(?<=<\/blocklist>)/);
  expect(blocking).toBe(list('tybalt@example.com', 'example.org'));
  for (const text of [blocking, privacy]) {
    const other = await partHost(blocklistPart);
    expect(await other.read(text)).toEqual([]);
    expect(await other.written()).toBe(written);
  }
  await host.clear();
  expect(await host.written()).toBe('');
});

it('leaves out what is no address, and what is too much', async () => {
  const host = await partHost(blocklistPart, { modules: { blocking: { maxItems: 1 } } } as never);
  expect(await host.read(list('@', 'a@b'))).toEqual(['An entry of the blocklist is no address, and is left out.']);
  expect(await host.read(list('a@b'))).toEqual([]);
  expect(await host.read(list('c@d'))).toEqual([expect.stringMatching(/modules\.blocking\.maxItems/)]);
});
