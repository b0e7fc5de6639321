import { Jid } from '@parley/xmpp/jid';
import { message } from '@parley/xmpp/stanza';
import { expect, it } from 'vitest';
import { SECRET, startComponent } from '../../../../tests/support/component.ts';
import { startServer } from '../../../../tests/support/server.ts';
import { Components } from '../components/components.ts';

it('serves the domains of the components that are configured, as the configuration changes', async () => {
  const components = [{ domain: 'irc.localhost', secret: SECRET, subdomains: true }];
  const server = await startServer({ nodes: 1, config: { components } });
  const { node } = server;
  const served = () =>
    ['localhost', 'irc.localhost', 'a.irc.localhost', 'b.a.irc.localhost', 'icq.localhost'].map((domain) =>
      node.router.serves(domain),
    );
  expect(served()).toEqual([true, true, true, true, false]);
  const component = await startComponent(server, 'irc.localhost');
  await node.router.route(message({ from: Jid.parse('a@localhost'), to: Jid.parse('b@a.irc.localhost') }));
  expect((await component.next()).attr('to')).toBe('b@a.irc.localhost');

  const next = structuredClone(node.config);
  next.components = next.components.map((each) => ({ ...each, domain: 'icq.localhost', subdomains: false }));
  await node.reload(next);
  expect(served()).toEqual([true, false, false, false, true]);
  const error = await component.take(({ name }) => name === 'error');
  expect(error.firstChild?.name).toBe('host-gone');
  expect((node.offers.get(Components) as Components).isConnected('irc.localhost')).toBe(false);
  await startComponent(server, 'icq.localhost');
});

it('closes components in order when the node stops', async () => {
  const server = await startServer({
    nodes: 1,
    config: { components: [{ domain: 'irc.localhost', secret: SECRET }] },
  });
  const component = await startComponent(server, 'irc.localhost');
  await server.node.stop();
  expect((await component.take(({ name }) => name === 'error')).firstChild?.name).toBe('system-shutdown');
  await component.closed;
});
