import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { type NodeReport, parseNodeReport } from '@parley/metrics/node-report';
import type {
  AccountAdministration,
  AccountMoveProgress,
  ListedAccount,
} from '@parley/server/admin/account-administration';
import { AdministrationError, type AdministrationFailure } from '@parley/server/admin/administration-error';
import { ADMINISTRATOR_HEADER } from '@parley/server/admin/administrator-header';
import type {
  ArchivePiece,
  DataAdministration,
  ExportPiece,
  PieceOutcome,
} from '@parley/server/admin/data-administration';
import type { FederationOfAll } from '@parley/server/admin/federation-everywhere';
import type { NodeStatus } from '@parley/server/admin/node-status';
import type { Client } from '@parley/server/auth/clients/client-access';
import type { Changes } from '@parley/server/config/reload';
import { administratorName } from './administrator-name.ts';
import { Unreachable } from './exit.ts';

/** Nobody listens on the socket: there is no node, or it died and left the file. */
const NOBODY = new Set(['ENOENT', 'ECONNREFUSED']);
const BROKEN_OFF = 'The node went away before it had told everything.';
const PATIENCE_MS = 30_000;
/**
 * A backup is copied, an erasure overwritten, and a directory read, before anything is answered: that takes as long as there
 * is much.
 */
const LONG_PATIENCE_MS = 3_600_000;

/** A running node, reached over its Unix socket. */
export class NodeClient {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** The node that listens on this socket, or undefined where none does. */
  static async connect(socket: string): Promise<NodeClient | undefined> {
    const node = new NodeClient(socket);
    try {
      await node.status();
      return node;
    } catch (error) {
      if (error instanceof Error && 'code' in error && NOBODY.has(String(error.code))) return undefined;
      throw error;
    }
  }

  static async require(socket: string): Promise<NodeClient> {
    const node = await NodeClient.connect(socket);
    if (node === undefined)
      throw new Unreachable(
        `No node runs here: nobody listens on ${socket}. Start one, or name the configuration of the one that runs (--config).`,
      );
    return node;
  }

  async status(): Promise<NodeStatus> {
    return (await this.#ask('GET', '/api/status')) as NodeStatus;
  }

  /** How it is, with all its metrics. */
  async report(): Promise<NodeReport> {
    return parseNodeReport(JSON.stringify(await this.#ask('GET', '/api/report')));
  }

  /** Why it is not live, or not ready, in words; empty where it is. */
  async trouble(ready: boolean): Promise<readonly string[]> {
    const response = await this.#request('GET', ready ? '/health/ready' : '/health/live');
    const { reasons = [`The node answers ${response.statusCode}.`] } = JSON.parse(await textOf(response));
    return response.statusCode === 200 ? [] : reasons;
  }

  async reload(): Promise<Changes> {
    return (await this.#ask('POST', '/api/reload')) as Changes;
  }

  async drain(): Promise<NodeStatus> {
    return (await this.#ask('POST', '/api/drain')) as NodeStatus;
  }

  async cancelDrain(): Promise<NodeStatus> {
    return (await this.#ask('DELETE', '/api/drain')) as NodeStatus;
  }

  get accounts(): AccountAdministration {
    const of = (jid: string) => `/api/accounts/${encodeURIComponent(jid)}`;
    const act = async (method: string, path: string, body?: object) => {
      await this.#ask(method, path, body);
    };
    return {
      add: (jid, password) => act('POST', '/api/accounts', { jid, password }),
      setPassword: (jid, password) => act('PUT', `${of(jid)}/password`, { password }),
      disable: (jid) => act('PUT', `${of(jid)}/enabled`, { enabled: false }),
      enable: (jid) => act('PUT', `${of(jid)}/enabled`, { enabled: true }),
      remove: (jid) => act('DELETE', of(jid)),
      move: (jid, to) => this.#lines<AccountMoveProgress>('POST', `${of(jid)}/move`, { to }),
      clients: async (jid) => (await this.#ask('GET', `${of(jid)}/clients`)) as Client[],
      revoke: (jid, client) =>
        act('DELETE', client === undefined ? `${of(jid)}/clients` : `${of(jid)}/clients/${encodeURIComponent(client)}`),
      list: (domain) => this.#list(domain),
    };
  }

  get data(): DataAdministration {
    const chosen = (choice: object) => new URLSearchParams(Object.entries(choice).filter(([, value]) => value));
    return {
      export: (choice) => this.#lines<ExportPiece>('GET', `/api/data?${chosen(choice)}`, undefined, LONG_PATIENCE_MS),
      archive: (jid) => this.#lines<ArchivePiece>('GET', `/api/data/${encodeURIComponent(jid)}`),
      erase: async (jid) =>
        (
          (await this.#ask('DELETE', `/api/data/${encodeURIComponent(jid)}`, undefined, LONG_PATIENCE_MS)) as {
            left: string[];
          }
        ).left,
      backup: () => this.#bytes('/api/backup'),
      import: async (piece) => (await this.#ask('POST', '/api/data', piece)) as PieceOutcome,
    };
  }

  get federation() {
    const of = (domain: string) => `/api/s2s/${encodeURIComponent(domain)}`;
    const from = (local: string | undefined) => (local === undefined ? '' : `?from=${encodeURIComponent(local)}`);
    return {
      list: async () => (await this.#ask('GET', '/api/s2s')) as FederationOfAll,
      explain: (remote: string, local?: string) => this.#lines<string>('POST', `${of(remote)}/explain${from(local)}`),
      connect: async (remote: string, local?: string) => {
        await this.#ask('POST', `${of(remote)}${from(local)}`);
      },
      close: async (remote: string) => ((await this.#ask('DELETE', of(remote))) as { closed: number }).closed,
    };
  }

  async *#list(domain: string | undefined): AsyncGenerator<ListedAccount[]> {
    const query = domain === undefined ? '' : `?domain=${encodeURIComponent(domain)}`;
    for await (const listed of this.#lines<ListedAccount>('GET', `/api/accounts${query}`, undefined, LONG_PATIENCE_MS))
      yield [listed];
  }

  /** One JSON object a line, as they come. */
  async *#lines<T>(method: string, path: string, body?: object, patience?: number): AsyncGenerator<T> {
    const response = await this.#send(method, path, body, patience);
    // where the node goes meanwhile, the last line is none, and that it went is told by whichever comes first
    try {
      for await (const line of createInterface({ input: response })) {
        if (line !== '') yield JSON.parse(line) as T;
      }
    } catch (error) {
      if (response.complete || !(error instanceof SyntaxError || isReset(error))) throw error;
    }
    if (!response.complete) throw new Unreachable(BROKEN_OFF);
  }

  async *#bytes(path: string): AsyncGenerator<Buffer> {
    yield* (await this.#send('GET', path, undefined, LONG_PATIENCE_MS)) as AsyncIterable<Buffer>;
  }

  async #ask(method: string, path: string, body?: object, patience?: number): Promise<unknown> {
    const response = await this.#send(method, path, body, patience);
    const text = await textOf(response);
    return text === '' ? undefined : JSON.parse(text);
  }

  async #send(method: string, path: string, body?: object, patience?: number): Promise<IncomingMessage> {
    const response = await this.#request(method, path, body, patience);
    if ((response.statusCode ?? 500) < 400) return response;
    throw refusal(await textOf(response));
  }

  #request(method: string, path: string, body?: object, patience = PATIENCE_MS): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      [ADMINISTRATOR_HEADER]: encodeURIComponent(administratorName()),
      ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    const sent = request({ socketPath: this.#socket, method, path, headers, timeout: patience }, resolve);
    sent.on('timeout', () => sent.destroy(new Unreachable('The node does not answer.')));
    sent.on('error', reject);
    sent.end(text);
    return promise;
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return text;
}

const isReset = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ECONNRESET';

function refusal(text: string): Error {
  const said = JSON.parse(text) as { failure?: AdministrationFailure; message?: string };
  return new AdministrationError(said.failure ?? 'refused', said.message ?? 'The node refused.');
}
