import { setTimeout as pause } from 'node:timers/promises';
import type { TestClient } from '../support/client.ts';
import { ManagedClient } from '../support/managed-client.ts';
import { logIn } from '../support/network.ts';
import type { Cluster } from './cluster.ts';
import type { Crowd } from './crowd.ts';
import type { Random } from './random.ts';
import { CLIENT_PATIENCE, type Timeline } from './timeline.ts';

export const WATCHER = 'watcher@localhost';

/** How long presence may be under way when nothing breaks any more, in milliseconds. */
const PATIENCE = 20_000;

/** Within what the presence of everybody comes to who has just come, in milliseconds. */
const PROBED = 1000;

/** A contact of everybody, who sees who is there: all the time, and at the end once more on each node. */
export class Watch {
  /** How often somebody was said to be gone while their session could be resumed. */
  flaps = 0;
  readonly #cluster: Cluster;
  readonly #crowd: Crowd;
  readonly #timeline: Timeline;
  readonly #client: ManagedClient;
  readonly #available = new Set<string>();
  readonly #views: { readonly node: string; readonly client: TestClient }[] = [];
  #closing = false;

  constructor(cluster: Cluster, crowd: Crowd, random: Random, timeline: Timeline) {
    this.#cluster = cluster;
    this.#crowd = crowd;
    this.#timeline = timeline;
    const observer = { presence: (from: string, type: string) => this.#see(from, type) };
    this.#client = new ManagedClient(`${WATCHER}/watch`, () => cluster.anyNode(random).clients.port, {
      observer,
      patience: CLIENT_PATIENCE,
      anew: true,
    });
  }

  #see(from: string, type: string): void {
    if (type === '') this.#available.add(from);
    if (type !== 'unavailable' || !this.#available.delete(from) || this.#closing) return;
    this.flaps++;
    this.#timeline.note(`WRONG ${from} is said to be gone`);
  }

  /** Everybody lets the watcher see them. */
  async start(): Promise<void> {
    await this.#client.start();
    for (const { jid } of this.#crowd.clients) {
      this.#client.send(`<presence type='subscribe' to='${jid.split('/')[0]}'/>`);
    }
    for (const client of this.#crowd.clients) client.send(`<presence type='subscribed' to='${WATCHER}'/>`);
    const unseen = await this.#until(() => this.#jids.filter((jid) => !this.#available.has(jid)));
    if (unseen.length > 0) this.#timeline.note(`WRONG not seen although nothing was broken yet: ${unseen.join(', ')}`);
  }

  /** Looks from each node when nothing breaks any more; how many are not seen who are there. */
  async unseen(): Promise<number> {
    await this.#look();
    const unseen = await this.#until(() => this.#jidsWhere((seen, jid) => !seen.has(jid)));
    if (unseen.length > 0) this.#timeline.note(`WRONG not seen: ${unseen.join(', ')}`);
    this.#closing = true;
    return unseen.length;
  }

  /** When everybody has gone: how many are still seen, by those who saw them go and by whoever comes now. */
  async ghosts(): Promise<number> {
    const stayed = await this.#until(() => [
      ...this.#jidsWhere((seen, jid) => seen.has(jid)),
      ...this.#jids.filter((jid) => this.#available.has(jid)),
    ]);
    await this.#look();
    await pause(PROBED);
    const probed = this.#jidsWhere((seen, jid) => seen.has(jid));
    for (const ghosts of [stayed, probed]) {
      if (ghosts.length > 0) this.#timeline.note(`WRONG GHOSTS seen: ${ghosts.join(', ')}`);
    }
    await this.#leave();
    await this.#client.close();
    return stayed.length + probed.length;
  }

  /** The watcher comes anew to each node. */
  async #look(): Promise<void> {
    await this.#leave();
    for (const { port, name } of this.#cluster.nodes) {
      const client = await logIn(port, `${WATCHER}/${name}`);
      client.send('<presence/>');
      this.#views.push({ node: name, client });
    }
  }

  async #leave(): Promise<void> {
    await Promise.all(this.#views.splice(0).map(({ client }) => client.close()));
  }

  get #jids(): string[] {
    return this.#crowd.clients.map(({ jid }) => jid);
  }

  /** Those of whom this holds, and on which nodes. */
  #jidsWhere(holds: (seen: ReadonlySet<string>, jid: string) => boolean): string[] {
    return this.#views.flatMap(({ node, client }) => {
      const seen = availableIn(client);
      return this.#jids.filter((jid) => holds(seen, jid)).map((jid) => `${jid} on ${node}`);
    });
  }

  /** Waits until nobody is left; who is in the end. */
  async #until(left: () => string[]): Promise<string[]> {
    const end = performance.now() + PATIENCE;
    while (left().length > 0 && performance.now() < end) await pause(50);
    return left();
  }
}

/** Who is available, by what a client was told. */
function availableIn({ inbox }: TestClient): ReadonlySet<string> {
  const available = new Set<string>();
  for (const element of inbox) {
    if (element.name !== 'presence') continue;
    const from = element.attr('from') ?? '';
    if (element.attr('type') === undefined) available.add(from);
    else if (element.attr('type') === 'unavailable') available.delete(from);
  }
  return available;
}
