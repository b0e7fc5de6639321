import { Registry } from '@parley/metrics/registry';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Log } from '../log.ts';
import { HttpServer } from '../net/http.ts';
import { registerHealth } from './health.ts';

let server: HttpServer;
let registry: Registry;
let notReady: string[];
beforeEach(() => {
  registry = new Registry();
  notReady = [];
  server = new HttpServer({
    permissions: ['public', 'metrics'],
    maxBodyBytes: 1000,
    requestTimeoutSeconds: 5,
    log: Log.create({ level: 'silent' }),
  });
  registerHealth(server, { notReady: () => notReady, snapshot: () => registry.snapshot() });
});
afterEach(() => server[Symbol.asyncDispose]());

const get = (url: string, headers: object = {}) =>
  server.routes.inject({ url, headers: { host: 'localhost', ...headers } });

it('is live as long as it answers, ready or not', async () => {
  notReady.push('the keyspace is away');
  expect((await get('/health/live')).json()).toEqual({ status: 'live' });
});

it('is ready until something speaks against it, and says what', async () => {
  expect((await get('/health/ready')).json()).toEqual({ status: 'ready' });
  notReady.push('the keyspace is away', 'the node is going down');
  const answer = await get('/health/ready');
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toEqual({ status: 'not-ready', reasons: ['the keyspace is away', 'the node is going down'] });
});

it('tells all metrics as they are at that moment', async () => {
  registry.metrics.stanzas.with({ kind: 'message', direction: 'in' }).add(3);
  const answer = await get('/metrics');
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(answer.body).toContain('\nxmpp_stanzas_total{kind="message",direction="in"} 3\n');
  registry.metrics.stanzas.with({ kind: 'message', direction: 'in' }).increment();
  expect((await get('/metrics')).body).toContain('\nxmpp_stanzas_total{kind="message",direction="in"} 4\n');
  const open = await get('/metrics', { accept: 'application/openmetrics-text; version=1.0.0' });
  expect(open.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(open.body.endsWith('\n# EOF\n')).toBe(true);
});
