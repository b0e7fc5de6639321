import { NS } from '@parley/xmpp/namespaces';
import { expect, it, vi } from 'vitest';
import { connectComponent, SECRET } from '../support/component.ts';
import { features } from '../support/login.ts';
import { type ServerOptions, startServer, type TestServer } from '../support/server.ts';

/** What the audit stream tells of refusals. */
const refusals = ({ audit }: TestServer) =>
  audit
    .filter(({ outcome }) => outcome === 'failure')
    .map(({ event, actor, address, subject, reason }) =>
      [event, actor, address, subject, reason].map((each) => each || '-').join(' | '),
    );

const start = (config: ServerOptions['config']) => startServer({ nodes: 1, ...(config && { config }) });

const register = (name?: string) =>
  `<query xmlns='${NS.register}'>${name === undefined ? '' : `<username>${name}</username>`}<password>pencil</password></query>`;

async function tryToRegister(server: TestServer, name?: string): Promise<void> {
  const client = server.connect();
  client.open('localhost');
  await features(client);
  await client.request('get', `<query xmlns='${NS.register}'/>`);
  await client.request('set', register(name));
  client.break();
}

it('an account that somebody may not make is one', async () => {
  const server = await start({ registration: { inBand: false } });
  await tryToRegister(server, 'tybalt');
  expect(refusals(server)).toEqual(['registration.refused | - | 192.0.2.1 | tybalt@localhost | service-unavailable']);
});

it('an account that somebody else has is one', async () => {
  const server = await start({ registration: { inBand: true } });
  await server.account('juliet@localhost');
  await tryToRegister(server, 'juliet');
  expect(refusals(server)).toEqual(['registration.refused | - | 192.0.2.1 | juliet@localhost | conflict']);
});

it('names nobody else where somebody wants what is no account here', async () => {
  const server = await start({ registration: { inBand: true } });
  for (const name of ['juliet@elsewhere.example/', undefined]) await tryToRegister(server, name);
  const said = 'registration.refused | - | 192.0.2.1 | - | not-acceptable';
  expect(refusals(server)).toEqual([said, said]);
});

it('a domain that the policy closes is one, both for whoever writes to it and for its server', async () => {
  const server = await start({
    federation: { enabled: true, peers: [{ domain: 'closed.example', allow: false }] },
  } as never);
  const romeo = await server.client('romeo@localhost/orchard');
  romeo.send(`<message to='ann@closed.example' type='chat'><body>Hi</body></message>`);
  expect((await romeo.nextMessage()).child('error')?.elements[0]?.name).toBe('not-allowed');
  // nobody asked for anything
  romeo.send(`<presence to='ann@closed.example'/>`);
  await romeo.sync();
  expect(refusals(server)).toEqual(['stanza.refused | romeo@localhost/orchard | - | ann@closed.example | not-allowed']);
});

it('what somebody may not do is one, and nothing else that is answered with an error', async () => {
  const server = await start({ registration: { passwordChange: false } });
  const romeo = await server.client('romeo@localhost/orchard');
  await romeo.request('set', register('romeo'), 'localhost');
  await romeo.request('get', `<query xmlns='urn:example:unknown'/>`, 'localhost');
  romeo.send(`<message to='nobody@localhost' type='headline'><body>Hi</body></message>`);
  await romeo.sync();
  expect(refusals(server)).toEqual(['stanza.refused | romeo@localhost/orchard | - | localhost | not-allowed']);
});

it('a component that speaks for others is one', async () => {
  const server = await start({ components: [{ domain: 'irc.localhost', secret: SECRET }] });
  const component = connectComponent(server.node, 'irc.localhost');
  await component.authenticate();
  component.send(`<message from='romeo@localhost' to='juliet@localhost'><body>forged</body></message>`);
  await vi.waitFor(() =>
    expect(refusals(server)).toEqual([
      expect.stringMatching(/^component\.error \| irc\.localhost \| - \| - \| invalid-from$/),
    ]),
  );
});
