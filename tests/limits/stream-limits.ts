import type { Configuration } from '@parley/server/config/schema';
import { plain } from '../support/login.ts';
import type { Partly } from '../support/server.ts';
import { type Limit, type LimitTable, streamError } from './limit.ts';

type StreamConfiguration = Partly<Configuration['stream']>;

/** A stranger sends this text, and the stream ends. */
const stranger = (config: Partly<Configuration['stream']['beforeAuthentication']>, text: string): Limit => ({
  config: { stream: { beforeAuthentication: config } },
  async exceed(scene) {
    const client = await scene.stranger();
    client.send(text);
    return streamError(client);
  },
  sees: 'policy-violation',
});

/** A user sends this text, and the stream ends. */
const user = (stream: StreamConfiguration, text: string): Limit => ({
  config: { stream },
  async exceed(scene) {
    const client = await scene.user();
    client.send(text);
    return streamError(client);
  },
  sees: 'policy-violation',
});

const after = (config: Partly<Configuration['stream']['afterAuthentication']>) => ({ afterAuthentication: config });
const message = (content: string, attributes = '') =>
  `<message to='juliet@localhost'${attributes}>${content}</message>`;

const AUTH = `xmlns='urn:ietf:params:xml:ns:xmpp-sasl'`;

export const streamLimits: LimitTable = {
  'element-bytes-before-authentication': stranger(
    { maxElementBytes: 5000 },
    `<auth ${AUTH} mechanism='PLAIN'>${'A'.repeat(5000)}`, // it does not even end
  ),
  'elements-before-authentication': stranger({ maxElements: 4 }, `<auth ${AUTH}>${'<a/>'.repeat(4)}`),
  'depth-before-authentication': stranger({ maxDepth: 3 }, `<auth ${AUTH}>${'<a>'.repeat(3)}`),
  'attributes-before-authentication': stranger({ maxAttributes: 6 }, `<auth ${AUTH} a='' b='' c='' d='' e='' f=''/>`),

  'stanza-bytes': user(after({ maxStanzaBytes: 10_000 }), `<message><body>${'x'.repeat(10_000)}`),
  elements: user(after({ maxElements: 8 }), message('<x/>'.repeat(8))),
  depth: user(after({ maxDepth: 4 }), message('<x>'.repeat(4))),
  attributes: user(after({ maxAttributes: 6 }), message('', ` a='' b='' c='' d='' e='' f=''`)),
  'name-bytes': user({ maxNameBytes: 100 }, message(`<${'x'.repeat(101)}/>`)),

  'authenticate-time': {
    config: { stream: { authenticateTimeoutSeconds: 1 } },
    async exceed(scene) {
      const client = await scene.stranger();
      return whileBusy(client, () => streamError(client));
    },
    sees: 'connection-timeout',
  },
  'bind-time': {
    config: { stream: { bindTimeoutSeconds: 1 } },
    async exceed(scene) {
      const client = await scene.stranger();
      await scene.server.account('tybalt@localhost');
      await plain(client, 'tybalt', 'secret');
      return whileBusy(client, () => streamError(client));
    },
    sees: 'connection-timeout',
  },
};

/** Keeps the connection busy: traffic extends no time. */
async function whileBusy<T>(client: { send(text: string): void }, wait: () => Promise<T>): Promise<T> {
  const busy = setInterval(() => client.send(' '), 50);
  try {
    return await wait();
  } finally {
    clearInterval(busy);
  }
}
