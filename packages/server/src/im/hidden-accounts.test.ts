import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { expect, it } from 'vitest';
import { RemoteDomain } from '../../../../tests/support/remote-domain.ts';
import { startServer } from '../../../../tests/support/server.ts';

async function start(federation: { hideAccounts?: boolean }, offline = true) {
  const server = await startServer({ config: { federation, offline: { enabled: offline } }, nodes: 1 });
  await server.account('juliet@localhost');
  const verona = new RemoteDomain(server, 'verona.lit');
  /** What whoever sends such a message is told. */
  const told = async (to: string, type = 'chat', more = ''): Promise<string> => {
    const text = `<message from='romeo@verona.lit/orchard' to='${to}' type='${type}'><body>Hi</body>${more}</message>`;
    await server.node.hooks.fromServer.run(stanzaFromText(Buffer.from(text)), { domain: 'verona.lit' });
    await server.settled();
    return verona.taken().join('');
  };
  return { server, told };
}

const refused = expect.stringContaining('<service-unavailable ');

it('ignores messages for nobody that would be stored for somebody', async () => {
  const { server, told } = await start({ hideAccounts: true });
  expect(await told('nobody@localhost')).toBe('');
  expect(await told('nobody@localhost', 'normal')).toBe('');
  expect(await told('nobody@localhost/x')).toBe('');
  expect(server.count(({ stanzasDropped }) => stanzasDropped.with({ cause: 'no-account' }))).toBe(3);
  expect(await told('juliet@localhost')).toBe('');
  expect(server.count(({ offlineStored }) => offlineStored)).toBe(1);
});

it.each(['juliet', 'nobody'])('leaves alone what would not be stored: for %s, too', async (name) => {
  const { server, told } = await start({ hideAccounts: true });
  expect(await told(`${name}@localhost`, 'groupchat')).toEqual(refused);
  expect(await told(`${name}@localhost/x`, 'normal')).toEqual(refused);
  expect(await told(`${name}@localhost`, 'chat', `<no-store xmlns='urn:xmpp:hints'/>`)).toEqual(refused);
  expect(server.count(({ stanzasDropped }) => stanzasDropped.with({ cause: 'no-account' }))).toBe(0);
});

it('leaves messages alone where nothing is stored for anybody, and where it is not wanted', async () => {
  for (const { told } of [await start({ hideAccounts: true }, false), await start({})]) {
    expect(await told('nobody@localhost')).toEqual(refused);
  }
});
