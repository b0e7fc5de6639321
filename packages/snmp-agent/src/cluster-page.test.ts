import { Registry } from '@parley/metrics/registry';
import { expect, it } from 'vitest';
import { ClusterPage } from './cluster-page.ts';

it('shows all nodes together', async () => {
  let known: Registry | undefined;
  await using page = await ClusterPage.start({ host: '127.0.0.1', port: 0, metrics: () => known?.snapshot() });
  const get = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${page.port}${path}`, init);
  expect((await get('/metrics')).status).toBe(503);
  known = new Registry();
  known.metrics.sessions.set(7);
  expect(await (await get('/metrics?all')).text()).toContain('\nxmpp_sessions 7\n');
  const open = await get('/metrics', { headers: { accept: 'application/openmetrics-text' } });
  expect(open.headers.get('content-type')).toMatch(/^application\/openmetrics-text/);
  expect([(await get('/')).status, (await get('/metrics', { method: 'POST', body: 'x' })).status]).toEqual([404, 405]);
  expect(await (await get('/metrics', { method: 'HEAD' })).text()).toBe('');
});
