import { Readable } from 'node:stream';
import type { NodeReport } from '@parley/metrics/node-report';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ConfigurationError } from '../config/problem.ts';
import type { Changes } from '../config/reload.ts';
import type { AccountAdministration } from './account-administration.ts';
import { AdministrationError, type AdministrationFailure } from './administration-error.ts';
import { ADMINISTRATOR_HEADER } from './administrator-header.ts';
import type { DataAdministration } from './data-administration.ts';
import { dataApi } from './data-api.ts';
import type { FederationAdministration } from './federation-administration.ts';
import type { FederationEverywhere } from './federation-everywhere.ts';
import type { NodeStatus } from './node-status.ts';
import { progressLines } from './progress-lines.ts';

/** What the local administration works on. */
export interface ApiHost {
  status(): NodeStatus;
  /** How the node is, for whoever watches it. */
  report(): NodeReport;
  /** What administrators do, told in the name of one; '' where it is not known. */
  as(name: string): Administration;
}

/** What administrators do with other servers: some of it on this node, the rest on all. */
export type FederationActs = Pick<FederationAdministration, 'explain' | 'connect'> &
  Pick<FederationEverywhere, 'list' | 'close'>;

export interface Administration {
  readonly accounts: AccountAdministration;
  readonly federation: FederationActs;
  readonly data: DataAdministration;
  /** Throws a ConfigurationError where the file is not good. */
  reload(): Promise<Changes>;
  /** Has the sessions go to other nodes. Throws an AdministrationError where there are none. */
  drain(): Promise<void>;
  cancelDrain(): Promise<void>;
}

const LONGEST_NAME = 64;

const STATUS: Record<AdministrationFailure, number> = {
  invalid: 400,
  refused: 403,
  'not-found': 404,
  conflict: 409,
  unavailable: 503,
};

const config = { permission: 'administration' } as const;
const text = { type: 'string', minLength: 1, maxLength: 4096 } as const;
const object = <T extends object>(properties: T) =>
  ({ type: 'object', required: Object.keys(properties), properties, additionalProperties: false }) as const;

/** The routes by which `parley` and the SNMP agent speak to a running node, over its Unix socket. */
export function adminApi(routes: FastifyInstance, host: ApiHost): void {
  void routes.register(async (api) => {
    api.setErrorHandler((error, _request, reply) => {
      const known = inWords(error);
      if (known === undefined) throw error;
      return reply.code(STATUS[known.failure]).send({ failure: known.failure, message: known.message });
    });

    const as = ({ headers }: FastifyRequest) => {
      const name = headers[ADMINISTRATOR_HEADER];
      return host.as(typeof name === 'string' ? name.slice(0, LONGEST_NAME) : '');
    };

    api.get('/api/status', { config }, () => host.status());
    api.get('/api/report', { config }, () => host.report());
    api.post('/api/reload', { config }, (request) => as(request).reload());
    api.post('/api/drain', { config }, async (request) => {
      await as(request).drain();
      return host.status();
    });
    api.delete('/api/drain', { config }, async (request) => {
      await as(request).cancelDrain();
      return host.status();
    });

    api.get('/api/s2s', { config }, (request) => as(request).federation.list());
    type OfDomain = { Params: { domain: string }; Querystring: { from?: string } };
    api.post<OfDomain>('/api/s2s/:domain/explain', { config }, async (request, reply) => {
      const { params, query } = request;
      const told = as(request).federation.explain(params.domain, query.from)[Symbol.asyncIterator]();
      const first = await told.next(); // a wrong domain is an error, and not a line
      return reply.type('application/x-ndjson').send(Readable.from(progressLines(first, told)));
    });
    api.post<OfDomain>('/api/s2s/:domain', { config }, (request) =>
      as(request).federation.connect(request.params.domain, request.query.from),
    );
    api.delete<OfDomain>('/api/s2s/:domain', { config }, async (request) => ({
      closed: await as(request).federation.close(request.params.domain),
    }));

    dataApi(api, (request) => as(request).data);

    api.get<{ Querystring: { domain?: string } }>('/api/accounts', { config }, async (request, reply) => {
      const pages = as(request).accounts.list(request.query.domain)[Symbol.asyncIterator]();
      const first = await pages.next(); // a wrong domain is an error, and not the end of a list
      return reply.type('application/x-ndjson').send(Readable.from(lines(first, pages)));
    });
    api.post<{ Body: { jid: string; password: string } }>(
      '/api/accounts',
      { config, schema: { body: object({ jid: text, password: text }) } },
      (request) => as(request).accounts.add(request.body.jid, request.body.password),
    );
    api.put<{ Params: { jid: string }; Body: { password: string } }>(
      '/api/accounts/:jid/password',
      { config, schema: { body: object({ password: text }) } },
      (request) => as(request).accounts.setPassword(request.params.jid, request.body.password),
    );
    api.put<{ Params: { jid: string }; Body: { enabled: boolean } }>(
      '/api/accounts/:jid/enabled',
      { config, schema: { body: object({ enabled: { type: 'boolean' } }) } },
      (request) => {
        const { accounts } = as(request);
        const { jid } = request.params;
        return request.body.enabled ? accounts.enable(jid) : accounts.disable(jid);
      },
    );
    api.post<{ Params: { jid: string }; Body: { to: string } }>(
      '/api/accounts/:jid/move',
      { config, schema: { body: object({ to: text }) } },
      async (request, reply) => {
        const steps = as(request).accounts.move(request.params.jid, request.body.to)[Symbol.asyncIterator]();
        const first = await steps.next(); // where it cannot move is an error, and not a step
        return reply.type('application/x-ndjson').send(Readable.from(progressLines(first, steps)));
      },
    );
    type OfClient = { Params: { jid: string; client: string } };
    api.get<{ Params: { jid: string } }>('/api/accounts/:jid/clients', { config }, (request) =>
      as(request).accounts.clients(request.params.jid),
    );
    api.delete<OfClient>('/api/accounts/:jid/clients/:client', { config }, (request) =>
      as(request).accounts.revoke(request.params.jid, request.params.client),
    );
    api.delete<{ Params: { jid: string } }>('/api/accounts/:jid/clients', { config }, (request) =>
      as(request).accounts.revoke(request.params.jid, undefined),
    );
    api.delete<{ Params: { jid: string } }>('/api/accounts/:jid', { config }, (request) =>
      as(request).accounts.remove(request.params.jid),
    );
  });
}

type Page = readonly object[];

async function* lines(first: IteratorResult<Page>, rest: AsyncIterator<Page>): AsyncGenerator<string> {
  for (let page = first; !page.done; page = await rest.next()) {
    yield page.value.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  }
}

function inWords(error: unknown): AdministrationError | undefined {
  if (error instanceof AdministrationError) return error;
  if (error instanceof ConfigurationError) return new AdministrationError('invalid', error.message);
  return undefined;
}
