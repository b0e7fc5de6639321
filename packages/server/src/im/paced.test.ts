import { beforeEach, describe, expect, it } from 'vitest';
import { Hooks } from '../hooks.ts';
import type { Session } from '../session/session.ts';
import { Paced } from './paced.ts';
import { Turns } from './turns.ts';

let hooks: Hooks;
let paced: Paced;
let sent: number[];

beforeEach(() => {
  hooks = new Hooks((error) => {
    throw error;
  });
  paced = new Paced(hooks, new Turns());
  sent = [];
});

function* upTo(most: number): Generator<void, void> {
  for (let i = 1; i <= most; i++) {
    sent.push(i);
    yield;
  }
}

/** A client with stream management that acknowledges nothing until it is told to; it is behind from `most` on. */
function managed(most: number) {
  let acknowledged = 0;
  const state = {
    ended: false,
    management: {
      get full() {
        return sent.length - acknowledged >= most;
      },
    },
  };
  const session = state as unknown as Session;
  const acknowledge = () => {
    acknowledged = sent.length;
    hooks.events.emit('session.drained', session);
  };
  return { state, session, acknowledge };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('many things for one session', () => {
  it('are sent some in each turn', async () => {
    const { session } = managed(Number.POSITIVE_INFINITY);
    paced.start(session, upTo(250));
    expect(sent).toHaveLength(100);
    await turn();
    expect(sent).toHaveLength(200);
    await hooks.pending.idle();
    expect(sent).toHaveLength(250);
  });

  it('wait for a client that is behind, and nobody waits for them', async () => {
    const { session, acknowledge } = managed(50);
    paced.start(session, upTo(120));
    await hooks.pending.idle();
    expect(sent).toHaveLength(50);
    acknowledge();
    await hooks.pending.idle();
    expect(sent).toHaveLength(100);
    acknowledge();
    await hooks.pending.idle();
    expect(sent).toHaveLength(120);
  });

  it('wait for a connection that takes no more', async () => {
    const transport = { blocked: true };
    const session = { ended: false, management: undefined, stream: { transport } } as unknown as Session;
    paced.start(session, upTo(10));
    await hooks.pending.idle();
    expect(sent).toHaveLength(1);
    transport.blocked = false;
    await expect.poll(() => sent.length).toBe(10);
  });

  it('end with the session', async () => {
    const { session, state, acknowledge } = managed(50);
    paced.start(session, upTo(120));
    await hooks.pending.idle();
    state.ended = true;
    hooks.events.emit('session.unbound', session, 'closed');
    acknowledge();
    await hooks.pending.idle();
    expect(sent).toHaveLength(50);
  });

  it('are all sent before another node takes the session over', async () => {
    const { session } = managed(50);
    paced.start(session, upTo(120));
    await hooks.pending.idle();
    hooks.events.emit('session.leaving', session);
    expect(sent).toHaveLength(120);
  });
});
