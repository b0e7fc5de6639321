import { NS } from '@parley/xmpp/namespaces';
import * as z from 'zod';
import { seconds } from '../../config/option.ts';
import { defineModule } from '../../module.ts';
import { Keepalive } from './keepalive.ts';

// Together they stay below five minutes, within which a connection that is gone without a word is found.
const options = z.object({
  idleSeconds: seconds(180, {
    live: true,
    min: 10,
    description: 'Time without anything from a client after which the server asks whether it is still there.',
  }),
  timeoutSeconds: seconds(60, {
    live: true,
    min: 5,
    description: 'Time for any sign of life after that; then the connection is ended.',
  }),
});

/** XEP-0199: answers pings, and pings clients of which nothing is heard. */
export default defineModule({
  name: 'ping',
  description: 'Answers pings and ends connections that are gone without a word (XEP-0199).',
  xeps: [{ number: 199, version: '2.0.1' }],
  features: [NS.ping],
  accountFeatures: [NS.ping],
  options,
  setup({ hooks, iq, log, onStop, options: current, requests, sessions }) {
    // §4.2: also to the own account, which is where a request without an address goes
    iq.get(NS.ping, 'ping', () => undefined, { at: ['domain'], allow: 'anyone' });
    iq.get(NS.ping, 'ping', () => undefined, { at: ['account'] });

    const keepalive = new Keepalive({
      sessions,
      limits: () => current() as unknown as z.infer<typeof options>,
      // whether it answers is told by `silence`, as by anything else that it sends
      ask: (session, payload) => void requests.send(session, 'get', payload).then(nothing, nothing),
      onGone: (session) => log.info('session.silent', { jid: session.jid.toString() }),
    });
    const timer = setInterval(() => keepalive.tick(), 1000);
    onStop(() => clearInterval(timer));
    hooks.events.on('session.unbound', (session) => keepalive.forget(session));
    hooks.events.on('session.moved', (session) => keepalive.forget(session));
  },
});

const nothing = () => {};
