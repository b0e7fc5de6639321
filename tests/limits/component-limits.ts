import type { Configuration } from '@parley/server/config/schema';
import { componentHeader, connectComponent, handshake, SECRET, type TestComponent } from '../support/component.ts';
import { HOSTILE, type Limit, type LimitTable, type Scene, stanzaError, streamError } from './limit.ts';

const DOMAIN = 'irc.localhost';

/** A component does it, or is done to. */
const component = (
  limits: Partial<Configuration['limits']['components']>,
  exceed: (scene: Scene, component: TestComponent) => Promise<unknown>,
  sees: unknown,
): Limit => ({
  nodes: 1,
  config: { components: [{ domain: DOMAIN, secret: SECRET }], limits: { components: limits } },
  async exceed(scene) {
    const connected = connectComponent(scene.server.node, DOMAIN, HOSTILE);
    await connected.authenticate();
    return exceed(scene, connected);
  },
  sees,
});

/** Somebody writes to it until there is an error, while it does not read. */
async function fill(scene: Scene, { transport }: TestComponent): Promise<string> {
  transport.blocked = true;
  const user = await scene.user();
  const message = (id: string) => `<message to='a@${DOMAIN}' id='${id}'><body>${'x'.repeat(600)}</body></message>`;
  user.send(message('1') + message('2'));
  return stanzaError(await user.nextMessage());
}

export const componentLimits: LimitTable = {
  'component-instances': component(
    { instances: 1 },
    async ({ server }) => {
      const second = connectComponent(server.node, DOMAIN, HOSTILE);
      second.send(componentHeader(DOMAIN));
      second.send(handshake(second.header?.attr('id') ?? ''));
      return streamError(second);
    },
    'conflict',
  ),
  'component-rate': component(
    { perSecond: 50, burst: 5 },
    async (scene, connected) => {
      const user = await scene.user();
      const message = `<message from='a@${DOMAIN}' to='${user.jid}'><body>Hi</body></message>`;
      const before = performance.now();
      connected.send(message.repeat(15));
      for (let n = 0; n < 15; n++) await user.nextMessage();
      return performance.now() - before > 100;
    },
    true,
  ),
  'component-queue-stanzas': component({ queueStanzas: 1 }, fill, 'resource-constraint'),
  'component-queue-bytes': component({ queueBytes: 1000 }, fill, 'resource-constraint'),
};
