import type { IncomingMessage, ServerResponse } from 'node:http';
import { OAuth2Server } from 'oauth2-mock-server';
import { onTestFinished } from 'vitest';

export const CREDENTIALS = { clientId: 'parley:server', clientSecret: 'a secret of Parley & the provider' };

/** Seconds since 1970, from now on. */
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** An OAuth 2.0 authorization server on a port of this machine; it ends with the test. */
export class TestProvider {
  readonly server: OAuth2Server;
  #port = 0;
  /** How often it was asked, by path. */
  readonly asked = new Map<string, number>();
  /** What it says of tokens that it is asked about; of others that they are not active. */
  readonly active = new Map<string, object>();
  /** Tokens at which a firewall before it takes offence, and what that answers. */
  readonly offending = new Map<string, number>();
  /** It takes requests, and answers none. */
  silent = false;

  private constructor(server: OAuth2Server) {
    this.server = server;
  }

  static async start(): Promise<TestProvider> {
    const server = new OAuth2Server();
    await server.issuer.keys.generate('ES256', { kid: 'first' });
    const provider = new TestProvider(server);
    const { service } = server;
    const answered = (path: string, answer: (request: IncomingMessage, response: ServerResponse) => void) =>
      ((request: IncomingMessage, response: ServerResponse) => {
        provider.asked.set(path, (provider.asked.get(path) ?? 0) + 1);
        if (!provider.silent) answer(request, response);
      }) as never;
    service.addRoute(
      'GET',
      '/keys',
      answered('/keys', (_, response) => provider.#tell(response, { keys: provider.#keys })),
    );
    service.addRoute(
      'POST',
      '/introspection',
      answered('/introspection', ({ headers, body }: IncomingMessage & { body?: { token?: string } }, response) => {
        // RFC 6749 §2.3.1: the two are encoded before they are put together
        const [id, secret] = Buffer.from((headers.authorization ?? '').slice('Basic '.length), 'base64')
          .toString()
          .split(':');
        const isParley = form(id) === CREDENTIALS.clientId && form(secret) === CREDENTIALS.clientSecret;
        if (!isParley) return void response.writeHead(401).end();
        const offence = provider.offending.get(body?.token ?? '');
        if (offence !== undefined) return void response.writeHead(offence).end();
        const claims = provider.active.get(body?.token ?? '');
        provider.#tell(response, claims === undefined ? { active: false } : { active: true, ...claims });
      }),
    );
    await server.start(0, '127.0.0.1');
    provider.#port = server.address().port;
    onTestFinished(() => provider.stop());
    return provider;
  }

  get #keys() {
    return this.server.issuer.keys.toJSON();
  }

  #tell(response: ServerResponse, body: object): void {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async stop(): Promise<void> {
    if (this.server.listening) await this.server.stop();
  }

  /** What the configuration says of it; its tokens are signed. */
  signed(more: object = {}) {
    return { ...this.#common, keys: `${this.url}/keys`, audience: ['xmpp'], ...more };
  }

  /** The same; it is asked about each token. */
  introspected(more: object = {}) {
    const introspection = { url: `${this.url}/introspection`, ...CREDENTIALS };
    return { ...this.#common, introspection, ...more };
  }

  get #common() {
    return {
      name: 'corporate',
      issuer: this.server.issuer.url,
      allowUnencrypted: true,
      timeoutSeconds: 20, // of a machine that is busy with something else
      account: { claim: 'preferred_username', domain: 'localhost' },
    };
  }

  /** An access token for Juliet that is good, but for what is changed of it; what is undefined is left out. */
  token(claims: object = {}, header: object = {}): Promise<string> {
    return this.server.issuer.buildToken({
      scopesOrTransform: (own, payload) => {
        Object.assign(own, { typ: 'at+jwt' }, header);
        Object.assign(payload, this.claims(claims));
      },
    });
  }

  claims(change: object = {}): object {
    return {
      sub: '3f1c',
      aud: 'xmpp',
      client_id: 'a-client',
      preferred_username: 'juliet',
      scope: 'openid xmpp:client:normal',
      ...change,
    };
  }
}

const form = (text = '') => decodeURIComponent(text.replaceAll('+', ' '));
