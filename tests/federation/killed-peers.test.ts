import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clientOf, type XmppPeer } from '../services/xmpp-peer.ts';
import type { TestClient } from '../support/client.ts';
import { inTime } from '../support/in-time.ts';
import type { TestServer } from '../support/server.ts';
import { logged, MAKES, OURS, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.make();
});
afterAll(() => world[Symbol.asyncDispose]());

const ROMEO = `romeo@${OURS}/here`;
const words = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}${n}`);

/** Nothing waits, and nothing is left whose fate is not known. */
const settled = (server: TestServer) =>
  vi.waitFor(() =>
    expect(server.node.federation.routing.queues.map(({ busy, session }) => busy || !session?.backlog.empty)).toEqual([
      false,
    ]),
  );

/** What a client hears, on each of its streams. */
class Ear {
  readonly #heard = new Set<string>();
  #more = () => {};

  on(client: TestClient): void {
    const hear = (element: Element) => {
      const body =
        element.name === 'message' && element.attr('type') !== 'error' ? element.childText('body') : undefined;
      if (body === undefined) return;
      this.#heard.add(body);
      this.#more();
    };
    for (const element of client.inbox.splice(0)) hear(element);
    client.onElement = hear;
  }

  get heard(): readonly string[] {
    return [...this.#heard];
  }

  async until(done: (heard: ReadonlySet<string>) => boolean): Promise<void> {
    while (!done(this.#heard)) {
      const more = new Promise<void>((resolve) => {
        this.#more = resolve;
      });
      await inTime(more, () => `Heard: ${this.heard.join(', ')}`);
    }
  }
}

describe.each(MAKES)('%s is killed in mid-conversation', (make) => {
  const domain = `${make.toLowerCase()}.lit`;
  let peer: XmppPeer;
  beforeAll(async () => {
    peer = await world.peer(make, domain);
  });

  const start = async (user: string, federation = {}) => {
    const server = await world.server({ federation });
    const romeo = await server.online(ROMEO);
    const juliet = await clientOf(peer, user);
    juliet.send('<presence/>');
    await juliet.nextPresence(juliet.jid);
    await vi.waitFor(() => expect(peer.keeps(user)).toBe(true));
    const ear = new Ear();
    ear.on(juliet);
    const say = (bodies: readonly string[]) => {
      for (const body of bodies)
        romeo.send(`<message type='chat' id='${body}' to='${juliet.bare}'><body>${body}</body></message>`);
    };
    say(['first']);
    await ear.until((heard) => heard.has('first'));
    return { server, romeo, juliet, ear, say };
  };

  it('and started again: all that it was sent is heard, and nothing comes back', async () => {
    const { server, romeo, juliet, ear, say } = await start('juliet', { queue: { seconds: 170 } });
    say(words('before', 40));
    await ear.until((heard) => heard.size > 10);
    await peer.kill();
    say(words('while', 10));
    romeo.send(`<iq type='get' id='v' to='${domain}'><query xmlns='${NS.version}'/></iq>`);
    await peer.restart();
    expect((await romeo.nextIq(domain)).attr('type')).toBe('result');
    const back = await clientOf(peer, 'juliet', 'back');
    ear.on(back);
    back.send('<presence/>');
    say(words('after', 10));
    const all = ['first', ...words('before', 40), ...words('while', 10), ...words('after', 10)];
    await ear.until((heard) => all.every((body) => heard.has(body)));
    expect(ear.heard.length).toBe(all.length);
    await settled(server);
    expect((await romeo.sync()).filter(({ name }) => name !== 'presence')).toEqual([]);
    expect(logged(server, 's2s.connected').length).toBeGreaterThan(1);
    juliet.break();
  });

  it('and stays away: each is heard or comes back, once; both only where it may not have said that it had it', async () => {
    const { server, romeo, ear, say } = await start('rosaline');
    say(words('sure', 20));
    await ear.until((heard) => heard.size > 20);
    await settled(server);
    // not before: it may take longer until it is connected
    const next = structuredClone(server.node.config);
    next.federation.queue.seconds = 3;
    await server.node.reload(next);
    say(words('unsure', 20));
    await ear.until((heard) => heard.has('unsure0'));
    await peer.kill();
    const heard = new Set(ear.heard);
    say(words('late', 20));
    const returned: string[] = [];
    const isDone = () =>
      [...words('unsure', 20), ...words('late', 20)].every((body) => heard.has(body) || returned.includes(body));
    while (!isDone()) {
      const error = await romeo.nextMessage(`rosaline@${domain}`);
      expect(error.attr('type')).toBe('error');
      returned.push(error.attr('id') ?? '');
    }
    await settled(server);
    returned.push(
      ...(await romeo.sync()).filter(({ name }) => name === 'message').map((each) => each.attr('id') ?? ''),
    );
    expect(new Set(returned).size).toBe(returned.length);
    expect(returned.filter((body) => body.startsWith('late')).toSorted()).toEqual(words('late', 20).toSorted());
    expect(returned.filter((body) => body.startsWith('sure') || body === 'first')).toEqual([]);
    await peer.restart();
  });
});
