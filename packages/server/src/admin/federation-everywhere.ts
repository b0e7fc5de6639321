import type { Peers } from '../peers.ts';
import type { FederationAdministration, FederationStatus } from './federation-administration.ts';

/** What the nodes of a cluster have to do with other servers, each row with the node that it is of; of one alone it says none. */
export interface FederationOfAll {
  readonly outgoing: readonly (FederationStatus['outgoing'][number] & { readonly node?: string })[];
  readonly incoming: readonly (FederationStatus['incoming'][number] & { readonly node?: string })[];
}

export interface FederationEverywhereHost {
  readonly peers: Peers;
  /** This node as others know it; undefined where it is alone. */
  self(): { readonly id: string; readonly name: string } | undefined;
  readonly local: Pick<FederationAdministration, 'list' | 'close'>;
}

/** Subjects of what nodes tell each other: what one wants to know, and what another says to it, in parts. */
const LIST = 's2s.list';
const CLOSE = 's2s.close';
const SAID = 's2s.said';

/** Rows that are told together: what nodes tell each other is not to keep their stanzas waiting. */
const ROWS = 100;

interface Wanted {
  readonly id: number;
  readonly asker: string;
  /** Whose streams are to be closed. */
  readonly remote?: string;
}

interface Said {
  readonly id: number;
  readonly rows?: FederationOfAll;
  readonly closed?: number;
}

/** What administrators ask one node about streams to other servers, asked of all nodes: each has its own. */
export class FederationEverywhere {
  readonly #host: FederationEverywhereHost;
  /** What is being asked for, by its number. */
  readonly #waiting = new Map<number, (said: Said) => void>();
  #count = 0;

  constructor(host: FederationEverywhereHost) {
    this.#host = host;
    const { peers, local } = host;
    peers.on(LIST, async (text) => {
      const wanted = JSON.parse(text) as Wanted;
      for (const rows of parts(this.#own())) await this.#say(wanted, { rows });
    });
    peers.on(CLOSE, async (text) => {
      const wanted = JSON.parse(text) as Wanted;
      await this.#say(wanted, { closed: local.close(wanted.remote ?? '') });
    });
    peers.on(SAID, (text) => {
      const said = JSON.parse(text) as Said;
      this.#waiting.get(said.id)?.(said);
    });
  }

  /** Resolves when each node has told, or is gone. */
  async list(): Promise<FederationOfAll> {
    const { outgoing, incoming } = this.#own();
    const all = { outgoing: [...outgoing], incoming: [...incoming] };
    await this.#ask(LIST, {}, ({ rows }) => {
      all.outgoing.push(...(rows?.outgoing ?? []));
      all.incoming.push(...(rows?.incoming ?? []));
    });
    return all;
  }

  /** How many streams to a domain and from it were closed on all nodes. Throws an AdministrationError. */
  async close(remote: string): Promise<number> {
    let closed = this.#host.local.close(remote);
    await this.#ask(CLOSE, { remote }, (said) => {
      closed += said.closed ?? 0;
    });
    return closed;
  }

  #own(): FederationOfAll {
    const status = this.#host.local.list();
    const node = this.#host.self()?.name;
    if (node === undefined) return status;
    return {
      outgoing: status.outgoing.map((row) => ({ node, ...row })),
      incoming: status.incoming.map((row) => ({ node, ...row })),
    };
  }

  async #ask(subject: string, about: object, onSaid: (said: Said) => void): Promise<void> {
    const asker = this.#host.self()?.id;
    if (asker === undefined) return;
    const id = ++this.#count;
    this.#waiting.set(id, onSaid);
    await this.#host.peers.tell(subject, JSON.stringify({ id, asker, ...about }));
    this.#waiting.delete(id);
  }

  /** Resolves when the other node has taken it: it may hear that all have told only then. */
  async #say({ id, asker }: Wanted, what: Omit<Said, 'id'>): Promise<void> {
    await this.#host.peers.ask(asker, SAID, JSON.stringify({ id, ...what }));
  }
}

function* parts({ outgoing, incoming }: FederationOfAll): Iterable<FederationOfAll> {
  for (let at = 0; at < Math.max(outgoing.length, incoming.length); at += ROWS) {
    yield { outgoing: outgoing.slice(at, at + ROWS), incoming: incoming.slice(at, at + ROWS) };
  }
}
