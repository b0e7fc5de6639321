import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Log } from '../log.ts';
import { isCanonicalPath } from './canonical-path.ts';
import { listenOnUnixSocket } from './unix-socket.ts';

/** What a route needs: nothing, reading the metrics, or administering the node. */
export type Permission = 'public' | 'metrics' | 'administration';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route says what it needs; one that does not is a mistake that is found when the node starts. */
    permission?: Permission;
  }
}

export interface HttpOptions {
  /** What whoever reaches this port may do. */
  readonly permissions: readonly Permission[];
  readonly maxBodyBytes: number;
  readonly requestTimeoutSeconds: number;
  /** Host names beside localhost that a request may ask for. */
  readonly allowedHosts?: readonly string[];
  readonly log: Log;
  /** Called when a request's body is larger than allowed; over a Unix socket there is no address. */
  readonly onBodyTooLarge?: (address: string | undefined) => void;
}

const MOST_CONNECTIONS = 256;
const MOST_HEADER_BYTES = 8192;
const MOST_URL_CHARACTERS = 4096;
const KEEP_ALIVE_MS = 5000;

/** One HTTP port or Unix socket. Routes are added to `routes` before it listens. */
export class HttpServer implements AsyncDisposable {
  readonly routes: FastifyInstance;
  readonly #options: HttpOptions;
  #overSocket = false;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.routes = fastify({
      bodyLimit: options.maxBodyBytes,
      exposeHeadRoutes: false,
      serverFactory: (handler) => createHttpServer(handler, options.requestTimeoutSeconds * 1000),
      clientErrorHandler: (_error, socket) => {
        if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      },
      frameworkErrors: (error, request, reply) => void this.#fail(error, request, reply),
    });
    this.routes.addHook('onRoute', ({ config, method, url }) => {
      if (config?.permission === undefined) throw new Error(`The route ${method} ${url} says no config.permission.`);
    });
    this.routes.addHook('onRequest', (request, reply, done) => this.#guard(request, reply, done));
    // Also when no descriptor is left to accept with: what has no listener would end the process.
    this.routes.server.on('error', (error) => options.log.flood('http.error', { error }));
    this.routes.setNotFoundHandler((_request, reply) => refuse(reply, 404));
    this.routes.setErrorHandler((error: FastifyError, request, reply) => this.#fail(error, request, reply));
  }

  /** Resolves with the port. */
  async listen({ host, port }: { host: string; port: number }): Promise<number> {
    await this.routes.ready();
    const { server } = this.routes;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: false }, resolve);
    await promise;
    server.off('error', reject);
    return (server.address() as AddressInfo).port;
  }

  /** Listens on a Unix socket that only the user of this process can open. */
  async listenOnSocket(path: string): Promise<void> {
    this.#overSocket = true;
    await this.routes.ready();
    await listenOnUnixSocket(this.routes.server, path);
  }

  /** Stops listening and closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { server } = this.routes;
    const { promise, resolve } = Promise.withResolvers<void>();
    // Answers with an error where it never listened; closed it is all the same.
    server.close(() => resolve());
    server.closeAllConnections();
    await promise;
    await this.routes.close();
  }

  #guard(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const [path = ''] = (request.raw.url ?? '').split('?', 1);
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    if ((request.raw.url?.length ?? 0) > MOST_URL_CHARACTERS || !isCanonicalPath(path, this.#overSocket)) {
      refuse(reply, 400);
    } else if (!this.#overSocket && !this.#isOurHost(request.headers.host)) {
      // A web page that has its name resolve to this address asks under that name.
      refuse(reply, 421);
    } else if (request.is404) {
      refuse(reply, 404);
    } else if (!this.#allows(request.routeOptions.config.permission)) {
      refuse(reply, 403);
    } else {
      done();
    }
  }

  #allows(permission: Permission | undefined): boolean {
    return permission !== undefined && this.#options.permissions.includes(permission);
  }

  #isOurHost(host = ''): boolean {
    const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
    const address = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
    if (name === 'localhost' || isIP(address) !== 0) return true;
    return this.#options.allowedHosts?.some((allowed) => allowed.toLowerCase() === name) ?? false;
  }

  #fail(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { statusCode = 500 } = error;
    if (statusCode === 413) this.#options.onBodyTooLarge?.(request.socket.remoteAddress);
    if (statusCode >= 400 && statusCode < 500) return refuse(reply, statusCode);
    this.#options.log.error('http.failed', { method: request.method, path: request.routeOptions?.url, error });
    return refuse(reply, 500);
  }
}

const WORDS: ReadonlyMap<number, string> = new Map([
  [400, 'bad-request'],
  [403, 'forbidden'],
  [404, 'not-found'],
  [413, 'too-large'],
  [415, 'unsupported-media-type'],
  [421, 'unknown-host'],
  [500, 'internal-server-error'],
]);

const refuse = (reply: FastifyReply, status: number): FastifyReply =>
  reply.code(status).send({ error: WORDS.get(status) ?? 'refused' });

function createHttpServer(handler: Parameters<typeof createServer>[1], timeout: number): Server {
  const server = createServer(
    {
      maxHeaderSize: MOST_HEADER_BYTES,
      requestTimeout: timeout,
      headersTimeout: timeout,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(timeout, 1000),
    },
    handler,
  );
  server.maxConnections = MOST_CONNECTIONS;
  return server;
}
