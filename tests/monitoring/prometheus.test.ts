import { randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { Prometheus, type Sample } from '../services/prometheus.ts';
import type { TestClient } from '../support/client.ts';
import { plain } from '../support/login.ts';
import { appearOver, encrypted } from '../support/network.ts';
import { startThreeNodes } from '../support/three-nodes.ts';
import { dashboardQueries, fileOf, filledIn } from './deployed-queries.ts';

vi.setConfig({ testTimeout: 120_000 }); // starts several processes, and waits for numbers to be scraped

const ACCOUNTS = ['romeo@localhost', 'juliet@localhost', 'nurse@localhost'];
/** One of 16 messages is timed, on each node. */
const MESSAGES = 64;

/** Messages in every direction between the nodes, and some for somebody who is not there. */
async function talk(clients: readonly TestClient[]): Promise<void> {
  for (let i = 0; i < MESSAGES; i++) {
    for (const client of clients) {
      for (const to of ACCOUNTS) client.send(`<message to='${to}' id='${randomUUID()}'><body>x</body></message>`);
    }
  }
  await Promise.all(clients.map((client) => client.sync()));
}

async function failToLogIn(port: number): Promise<void> {
  const stranger = await encrypted(port);
  await plain(stranger, 'romeo', 'wrong');
  stranger.break();
}

it('Prometheus has data for every picture, evaluates every alert, and sees a node that is gone', async () => {
  const nodes = await startThreeNodes(ACCOUNTS);
  const ports = nodes.map(({ node }) => node.port('http'));
  const prometheus = await Prometheus.start(ports, fileOf('prometheus/parley.rules.yml'));
  const clients = await Promise.all(
    ['romeo', 'juliet'].map((name, i) => appearOver(nodes[i]?.port ?? 0, `${name}@localhost/here`)),
  );
  await Promise.all(nodes.map(({ port }) => failToLogIn(port)));

  // rate() needs two scrapes, between which something has happened
  const answers = new Map<string, Sample[]>();
  const queries = dashboardQueries();
  await vi.waitFor(
    async () => {
      await talk(clients);
      for (const { expr } of queries) answers.set(expr, await prometheus.query(filledIn(expr, '5s')));
      const lacking = queries.filter(({ expr, mayBeEmpty }) => !mayBeEmpty && !isThere(answers.get(expr)));
      expect(lacking.map(({ title, expr }) => `${title}: ${expr}`)).toEqual([]);
    },
    { timeout: 30_000, interval: 500 },
  );

  const valuesOf = async (query: string) => (await prometheus.query(query)).map(({ value }) => value);
  expect(await valuesOf('sum(xmpp_sessions{job="parley"})')).toEqual([2]);
  const up = 'sum by (state) (parley_node_state{job="parley", state="up"})';
  await vi.waitFor(async () => expect(await valuesOf(up)).toEqual([3]), { timeout: 20_000, interval: 200 });

  const rules = await prometheus.rules();
  expect(rules.length).toBeGreaterThan(20);
  for (const { name, query, health, lastError } of rules) {
    expect([name, health, lastError]).toEqual([name, 'ok', undefined]);
    await prometheus.query(query);
  }
  const firing = async () =>
    (await prometheus.rules()).filter(({ alerts }) => alerts.length > 0).map(({ name }) => name);
  expect(await firing()).toEqual([]);

  await nodes[2]?.node.kill();
  await vi.waitFor(async () => expect(await firing()).toContain('ParleyNodeDown'), { timeout: 10_000, interval: 200 });
  expect(await valuesOf('up{job="parley"} == 0')).toEqual([0]);
  for (const client of clients) client.break();
});

/** Something, and every series of it is a number. */
const isThere = (samples: readonly Sample[] = []) =>
  samples.length > 0 && samples.every(({ value }) => Number.isFinite(value));
