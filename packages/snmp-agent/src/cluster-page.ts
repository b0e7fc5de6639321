import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { acceptedForm, CONTENT_TYPE, prometheusText } from '@parley/metrics/prometheus';
import type { Snapshot } from '@parley/metrics/snapshot';

export interface ClusterPageOptions {
  readonly host: string;
  /** 0 takes one that is free. */
  readonly port: number;
  /** All nodes together, now; undefined where nothing is known yet. */
  metrics(): Pick<Snapshot, 'values'> | undefined;
}

const REQUEST_MS = 10_000;

/** `/metrics` of all nodes together, over HTTP. */
export class ClusterPage implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Resolves when it listens; rejects where it cannot. */
  static async start(options: ClusterPageOptions): Promise<ClusterPage> {
    const limits = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, maxHeaderSize: 16_384 };
    const server = createServer(limits, (request, response) => answer(request, response, options));
    server.listen(options.port, options.host);
    await once(server, 'listening');
    return new ClusterPage(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function answer(request: IncomingMessage, response: ServerResponse, { metrics }: ClusterPageOptions): void {
  request.resume(); // nobody looks at a body
  const good = request.method === 'GET' || request.method === 'HEAD';
  if (!good || request.url?.split('?')[0] !== '/metrics') {
    response.writeHead(good ? 404 : 405).end();
    return;
  }
  const now = metrics();
  if (now === undefined) {
    response.writeHead(503).end();
    return;
  }
  const form = acceptedForm(request.headers.accept);
  const text = prometheusText(now, form);
  response.writeHead(200, { 'content-type': CONTENT_TYPE[form], 'content-length': Buffer.byteLength(text) });
  response.end(request.method === 'HEAD' ? undefined : text);
}
