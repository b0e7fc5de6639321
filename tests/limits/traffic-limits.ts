import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Configuration } from '@parley/server/config/schema';
import { defineModule, type ModuleContext } from '@parley/server/module';
import { modules } from '@parley/server/modules';
import type { Session } from '@parley/server/session/session';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { TestClient } from '../support/client.ts';
import { features, plain } from '../support/login.ts';
import type { Partly } from '../support/server.ts';
import { ended, LOOPBACK, tcp } from './connection-limits.ts';
import type { Limit, LimitTable, Scene } from './limit.ts';

/** No limit of rate for the friends, and whoever helps. */
const admins = ['romeo', 'juliet', 'accomplice'].map((name) => `${name}@localhost`);
const PING = `<ping xmlns='urn:xmpp:ping'/>`;

/** A user sends too much; what follows is answered, but only when its time has come. */
const paused = (limits: Partly<Configuration['limits']>, send: (client: TestClient) => void): Limit => ({
  config: { admins, limits },
  async exceed(scene) {
    const client = await scene.user();
    const began = performance.now();
    send(client);
    const answer = client.request('get', PING, 'localhost');
    await scene.chat.goesOn();
    const type = (await answer).attr('type');
    return [performance.now() - began > 1000, type];
  },
  sees: [true, 'result'],
});

/** Somebody logs in over TCP. */
async function overTcp(scene: Scene) {
  const socket = await tcp(scene);
  const client = new TestClient({
    send: (bytes) => socket.write(bytes),
    onData: (listener) => socket.on('data', listener),
    onEnd: (listener) => socket.on('close', listener),
    break: () => socket.resetAndDestroy(),
  });
  await scene.server.account('tybalt@localhost');
  client.open('localhost');
  await features(client);
  await plain(client, 'tybalt', 'secret');
  await client.request('set', `<bind xmlns='${NS.bind}'><resource>square</resource></bind>`);
  client.send('<presence/>');
  await client.nextPresence();
  return socket;
}

const MESSAGE = `<message to='tybalt@localhost/square'><body>${'x'.repeat(9000)}</body></message>`;

/** A user reads nothing of what comes, until the server has enough of it. `flood` is false where it then ends by itself. */
const slowReader = (output: Partly<Configuration['limits']['output']>, flood: boolean): Limit => ({
  config: {
    admins,
    tls: { required: false },
    authentication: { plainWithoutTls: true },
    listen: { c2s: [{ host: LOOPBACK, port: 0 }], c2sTls: [], http: [] },
    stream: { afterAuthentication: { maxStanzaBytes: 10_000 } },
    limits: { output: { maxBytes: 0, maxStanzas: 0, ...output } },
  },
  address: LOOPBACK,
  async exceed(scene) {
    const { server } = scene;
    const socket = await overTcp(scene);
    const accomplice = await server.client('accomplice@localhost/x');
    const session = server.node.sessions.get(Jid.parse('tybalt@localhost/square')) as Session;
    socket.pause();
    while (!session.ended) {
      if (flood || !session.stream.transport.blocked) accomplice.send(MESSAGE);
      await nextTurn();
    }
    socket.resume();
    await ended(socket);
    return server.node.sessions.get(session.jid);
  },
  sees: undefined,
});

/** The server asks the client something, so many times at once. */
const requests = (
  limits: Partly<Configuration['limits']['iq']>,
  times: number,
  answers: number,
  sees: unknown,
): Limit => {
  let context: ModuleContext | undefined;
  const asking = defineModule({
    name: 'asking',
    setup(given) {
      context = given;
    },
  });
  return {
    config: { limits: { iq: limits } },
    modules: [...modules, asking],
    async exceed(scene) {
      const client = await scene.user();
      const session = scene.server.node.sessions.get(Jid.parse(client.jid)) as Session;
      const asked = Array.from({ length: times }, () =>
        context?.requests.send(session, 'get', Element.of('ping', 'urn:xmpp:ping')).then(
          () => 'answered',
          (error) => (error instanceof StanzaError ? error.condition : error),
        ),
      );
      for (let count = 0; count < answers; count++) {
        const request = await client.nextIq();
        client.send(`<iq type='result' id='${request.attr('id')}' to='localhost'/>`);
      }
      return Promise.all(asked);
    },
    sees,
  };
};

export const trafficLimits: LimitTable = {
  'bytes-rate': paused({ bytes: { perSecond: 2000, burst: 10_000 } }, (client) =>
    client.send(`<message to='localhost' type='error'><body>${'x'.repeat(13_000)}</body></message>`),
  ),
  'stanzas-rate': paused({ stanzas: { perSecond: 1, burst: 5 } }, (client) => {
    for (let count = 0; count < 7; count++) client.send(`<message to='localhost' type='error'/>`);
  }),

  'output-bytes': slowReader({ maxBytes: 20_000 }, true),
  'output-stanzas': slowReader({ maxStanzas: 50 }, true),
  'output-stalled': slowReader({ stalledSeconds: 1 }, false),

  'pending-iq': requests({ pendingPerSession: 2 }, 3, 2, ['answered', 'answered', 'resource-constraint']),
  'iq-time': requests({ timeoutSeconds: 1 }, 2, 1, ['answered', 'remote-server-timeout']),
};
