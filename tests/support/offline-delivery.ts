import { setImmediate as nextTurn } from 'node:timers/promises';
import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { Registry } from '@parley/metrics/registry';
import { Log } from '@parley/server/log';
import type { Router } from '@parley/server/routing/router';
import { DirectJournal } from '@parley/server/session/journal';
import type { Session } from '@parley/server/session/session';
import { Sessions } from '@parley/server/session/sessions';
import { OfflineDelivery } from '@parley/server/xeps/0160-offline/offline-delivery';
import { OfflineStore } from '@parley/server/xeps/0160-offline/offline-store';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { message, presence, type Stanza } from '@parley/xmpp/stanza';
import { onTestFinished } from 'vitest';

export const juliet = Jid.parse('juliet@capulet.lit');
export const NO_LIMITS = { maxMessages: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };
export const chat = (text: string) => message({ to: juliet, type: 'chat' }, Element.of('body', NS.client, {}, text));

/** A storage of messages for Juliet, what hands them over, and her sessions. */
export async function startOfflineDelivery() {
  const { keyspace } = await openEmbedded(undefined, {});
  onTestFinished(() => keyspace.close());
  const sessions = new Sessions();
  const store = new OfflineStore(keyspace);
  /** What was handed on to be routed anew. */
  const rerouted: Stanza[] = [];
  /** What the keyspace has and some session has had. */
  const takenBefore: string[] = [];
  const output = { maxBytes: 100_000, maxStanzas: 10 };
  const delivery = new OfflineDelivery({
    store,
    sessions,
    otherNodes: undefined,
    journal: new DirectJournal(sessions),
    metrics: new Registry().metrics,
    log: Log.create({ level: 'silent' }),
    router: { route: (stanza: Stanza) => void rerouted.push(stanza) } as unknown as Router,
    again: () => nextTurn(),
    output: () => output,
    onTaken() {},
    wasTaken: (text) => takenBefore.includes(String(text)),
  });

  /** As much of a session as a delivery needs. The connection takes what is written when the test says so. */
  function makeSession(resource: string) {
    const session = {
      jid: juliet.withResource(resource),
      account: juliet,
      sessionId: resource,
      presence: presence({}),
      priority: 0,
      ended: false,
      got: [] as string[],
      limit: '',
      waiting: [] as (() => void)[],
      onWait: () => {},
      get available() {
        return true;
      },
      send(stanza: Stanza) {
        if (!session.ended && !delivery.hold(stanza, real)) session.got.push(stanza.childText('body') ?? '');
      },
      end() {
        session.ended = true;
        sessions.remove(real);
        delivery.end(real);
      },
      stream: {
        host: { onLimit: (_: unknown, limit: string) => (session.limit = limit) },
        cut: () => session.end(),
        transport: {
          whenSent(done: () => void) {
            session.waiting.push(done);
            session.onWait();
          },
        },
      },
      /** Resolves when something was written and waits to be sent. */
      written: () =>
        new Promise<void>((resolve) => {
          session.onWait = resolve;
          if (session.waiting.length > 0) resolve();
        }),
      sent: () => session.waiting.shift()?.(),
    };
    const real = session as unknown as Session;
    sessions.add(real);
    return { session, real };
  }

  const add = async (...texts: string[]) => {
    for (const text of texts) await store.add(juliet, Buffer.from(chat(text).toString()), NO_LIMITS);
  };
  const waiting = async () => (await store.page(juliet)).texts.length;
  /** Resolves when all that was begun in the keyspace is done. */
  const settled = async () => {
    for (let i = 0; i < 5; i++) await keyspace.now();
  };

  return { sessions, store, rerouted, output, takenBefore, delivery, makeSession, add, waiting, settled };
}
