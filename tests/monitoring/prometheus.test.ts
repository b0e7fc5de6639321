import { randomUUID } from 'node:crypto';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it, vi } from 'vitest';
import { startEchoComponent } from '../services/echo-component.ts';
import { Prometheus, type Sample } from '../services/prometheus.ts';
import { Slapd } from '../services/slapd.ts';
import { PEOPLE, SERVICE } from '../services/slapd-files.ts';
import { TestClient } from '../support/client.ts';
import { plain } from '../support/login.ts';
import type { ManagedClient } from '../support/managed-client.ts';
import { appearOver, encrypted } from '../support/network.ts';
import { clientAt, resumed } from '../support/talking.ts';
import { startThreeNodes } from '../support/three-nodes.ts';
import { socketWire } from '../support/wires.ts';
import { dashboardQueries, fileOf, filledIn } from './deployed-queries.ts';

/** Over so much time rates are taken: twenty scrapes, some of which may be late. */
const RANGE = '20s';

const ACCOUNTS = ['romeo@localhost', 'juliet@localhost', 'nurse@localhost', 'peter@localhost'];
/** One of 16 messages is timed, on each node. */
const MESSAGES = 64;
const COMPONENT = { domain: 'echo.localhost', secret: 'known to the component', name: 'echo' };

/** What the nodes have beside each other: people in a directory, and a component. */
const withEverything = (slapd: Slapd) => ({
  authentication: { iterations: 4096, accounts: ['internal', 'corp'] },
  components: [{ domain: COMPONENT.domain, secret: COMPONENT.secret }],
  directories: [
    {
      name: 'corp',
      servers: [slapd.url],
      authorities: slapd.authorities,
      bind: { dn: SERVICE.dn, password: SERVICE.password },
      people: { base: PEOPLE },
    },
  ],
  modules: { vcard: { enabled: true, maxBytes: 1000 } },
  limits: {
    stanzas: { perSecond: 0, strangersPerHour: 0 },
    bytes: { perSecond: 0 },
    connections: { newPerAddressPerMinute: 0 },
    logins: { delaySeconds: 0, failuresPerAddress: 0, failuresPerAccountAndAddress: 0 },
    process: { eventLoopDelayMilliseconds: 60_000 }, // the machine may have much else to do
  },
});

/** Messages in every direction between the nodes, and some for somebody who is not there. */
async function talk(clients: readonly TestClient[]): Promise<void> {
  for (let i = 0; i < MESSAGES; i++) {
    for (const client of clients) {
      for (const to of ACCOUNTS) client.send(`<message to='${to}' id='${randomUUID()}'><body>x</body></message>`);
    }
  }
  await Promise.all(clients.map((client) => client.sync()));
}

/** Both the accounts of the server and the directory are asked. */
async function failToLogIn(port: number): Promise<void> {
  const stranger = await encrypted(port);
  await plain(stranger, `nobody-${randomUUID()}`, 'wrong');
  stranger.break();
}

/** What is refused: a vCard for its size, a stream for its domain. */
async function beRefused(client: TestClient, port: number): Promise<void> {
  await client.request('set', `<vCard xmlns='${NS.vcard}'><DESC>${'x'.repeat(1000)}</DESC></vCard>`);
  const lost = new TestClient(await socketWire(port));
  lost.open('nowhere.example');
  await lost.closed;
}

/** The connection of somebody breaks, and he is back. */
async function comeBack(client: ManagedClient): Promise<void> {
  const back = resumed(client, client.resumeTimes.length + 1);
  client.break();
  await back;
}

it('Prometheus has data for every picture, evaluates every alert, and sees a node that is gone', async () => {
  const slapd = await Slapd.start();
  const nodes = await startThreeNodes(ACCOUNTS, withEverything(slapd));
  const [first] = nodes as [(typeof nodes)[number]];
  const ports = nodes.map(({ node }) => node.port('http'));
  const prometheus = await Prometheus.start(ports, fileOf('prometheus/parley.rules.yml'));
  const clients = await Promise.all(
    ['romeo', 'juliet'].map((name, i) => appearOver(nodes[i]?.port ?? 0, `${name}@localhost/here`)),
  );
  await startEchoComponent({ port: first.node.port('components'), ...COMPONENT });
  const peter = clientAt('peter@localhost/here', () => first.port);
  await peter.start();
  const [romeo] = clients as [TestClient];

  // rate() needs two scrapes, between which something has happened
  const answers = new Map<string, Sample[]>();
  const queries = dashboardQueries();
  await vi.waitFor(
    async () => {
      await talk(clients);
      await Promise.all([...nodes.map(({ port }) => failToLogIn(port)), beRefused(romeo, first.port), comeBack(peter)]);
      for (const { expr } of queries) answers.set(expr, await prometheus.query(filledIn(expr, RANGE)));
      const lacking = queries.filter(({ expr }) => !isThere(answers.get(expr)));
      expect(lacking.map(({ title, expr }) => `${title}: ${expr}`)).toEqual([]);
    },
    { interval: 500 },
  );

  const valuesOf = async (query: string) => (await prometheus.query(query)).map(({ value }) => value);
  // a scrape may be late, and what it tells of somebody who comes back is what was so at that moment
  await vi.waitFor(async () => expect(await valuesOf('sum(xmpp_sessions{job="parley"})')).toEqual([3]), {
    interval: 200,
  });
  const up = 'sum by (state) (parley_node_state{job="parley", state="up"})';
  await vi.waitFor(async () => expect(await valuesOf(up)).toEqual([3]), { interval: 200 });

  const rules = await prometheus.rules();
  expect(rules.length).toBeGreaterThan(20);
  for (const { name, query, health, lastError } of rules) {
    expect([name, health, lastError]).toEqual([name, 'ok', undefined]);
    await prometheus.query(query);
  }
  const alerts = async (...states: string[]) =>
    (await prometheus.rules())
      .filter((rule) => rule.alerts.some(({ state }) => states.includes(state)))
      .map(({ name }) => name);
  // one that is pending tells of a moment, in which a machine may be busy
  expect(await alerts('firing')).toEqual([]);

  await nodes[2]?.node.kill();
  await vi.waitFor(async () => expect(await alerts('pending', 'firing')).toContain('ParleyNodeDown'), {
    interval: 200,
  });
  await vi.waitFor(async () => expect(await valuesOf('up{job="parley"} == 0')).toEqual([0]), { interval: 200 });
  for (const client of clients) client.break();
  peter.stop();
});

/** Something, and every series of it is a number. A line that is only drawn where nothing is measured does not count. */
const isThere = (samples: readonly Sample[] = []) =>
  samples.some(({ metric: { limit, condition } }) => limit !== 'none' && condition !== 'none') &&
  samples.every(({ value }) => Number.isFinite(value));
