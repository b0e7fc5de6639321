import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import * as z from 'zod';
import { bytes, count } from '../../config/option.ts';
import { defineModule } from '../../module.ts';
import type { Session } from '../../session/session.ts';
import { type HeldLimits, HeldStanzas } from './held-stanzas.ts';
import { keyOfUnimportant } from './importance.ts';

const options = z.object({
  maxStanzas: count(500, {
    live: true,
    max: 100_000,
    description: 'Stanzas that wait for one client that nobody looks at; then all of them are sent.',
  }),
  maxBytes: bytes(262_144, { live: true, description: 'Size of these stanzas together; then all of them are sent.' }),
});

/** XEP-0352: presence and chat states wait for clients that nobody looks at. */
export default defineModule({
  name: 'client-state',
  description: 'Spares clients that nobody looks at presence and chat states until somebody does (XEP-0352).',
  xeps: [{ number: 352, version: '1.0.0' }],
  options,
  setup(context) {
    const { hooks, features, sessions } = context;
    /** Sessions whose clients nobody looks at. */
    const inactive = new Map<Session, HeldStanzas>();

    const flush = (session: Session, held: HeldStanzas) => {
      for (const stanza of held.take()) session.write(stanza);
    };
    const deactivate = (session: Session) => {
      if (!inactive.has(session)) inactive.set(session, new HeldStanzas());
    };
    const activate = (session: Session) => {
      const held = inactive.get(session);
      if (held === undefined) return;
      inactive.delete(session);
      flush(session, held);
    };

    const feature = Element.of('csi', NS.clientState);
    features.add({
      ns: NS.clientState,
      advertise: ({ identity }) => (identity === undefined ? undefined : feature), // §4.1
      handle(stream, { name }) {
        const { identity } = stream;
        if (identity === undefined) throw new StreamError('not-authorized', 'Authenticate first.');
        if (name !== 'active' && name !== 'inactive') throw new StreamError('unsupported-stanza-type');
        const session = sessions.on(stream);
        if (session === undefined) return; // there is nothing to hold back yet
        if (name === 'inactive') deactivate(session);
        else activate(session); // §5.1: before anything that follows
      },
      // XEP-0386, "Performing the bind": it begins in this state
      inBind2({ stream }, { name }) {
        const session = sessions.on(stream);
        if (session !== undefined && name === 'inactive') deactivate(session);
        return [];
      },
    });

    hooks.toSession.use('deliver', (stanza, session) => {
      if (inactive.size === 0) return false;
      const held = inactive.get(session);
      if (held === undefined) return false;
      const key = keyOfUnimportant(stanza, session.account);
      if (key !== undefined && held.add(key, stanza, context.options() as unknown as HeldLimits)) return true;
      flush(session, held); // the client wakes up anyway, and all keeps its order
      return false;
    });
    // nobody looks at a client that is not there; §5.2: a resumed stream begins active
    hooks.events.on('session.detached', (session) => deactivate(session));
    hooks.events.on('session.restored', (session) => deactivate(session));
    hooks.events.on('session.resumed', (session) => activate(session));
    hooks.events.on('session.leaving', (session) => activate(session));
    const letGo = (session: Session) => void inactive.delete(session);
    hooks.events.on('session.unbound', letGo);
    hooks.events.on('session.moved', letGo);
  },
});
