import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startRedis } from './services/redis.ts';
import { balancer } from './support/balancer.ts';
import { TestClient } from './support/client.ts';
import { features, plain } from './support/login.ts';
import { appearOver, encrypted } from './support/network.ts';
import { Installation, type RunningParley } from './support/process.ts';
import { socketWire } from './support/wires.ts';

const CLIENT = '127.0.0.5';

/** One that HAProxy can look at, with its own port for each thing. */
async function startNode(keyspace: string): Promise<{ installation: Installation; node: RunningParley }> {
  const nowhere = { host: '127.0.0.1', port: 0 };
  const clients = [{ ...nowhere, proxyProtocol: true }];
  const installation = new Installation({
    listen: { c2s: clients, c2sTls: clients, http: [nowhere], agentCheck: [nowhere] },
    proxyProtocol: { trustedNetworks: ['127.0.0.1'] },
    keyspace: { url: keyspace },
    cluster: { secret: 'a secret that only the tests know of' },
  });
  return { installation, node: await installation.start() };
}

async function agentOf(node: RunningParley): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: node.port('agentCheck') });
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'close');
  return text;
}

/** Logs in over TLS from the first byte. */
async function overTls(port: number): Promise<void> {
  const wire = await socketWire(port, CLIENT);
  await wire.upgrade('localhost');
  const client = new TestClient(wire);
  client.open('localhost');
  await features(client);
  expect((await plain(client, 'romeo', 'secret')).name).toBe('success');
  await features(client);
  await client.request('set', `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>tls</resource></bind>`);
}

const bound = (node: RunningParley) => node.log.filter(({ event }) => event === 'session.bound');

/** Both logs tell of so many sessions, and of no more. */
const hasBound = (nodes: readonly RunningParley[], ...counts: readonly number[]) =>
  vi.waitFor(() => expect(nodes.map((node) => bound(node).length)).toEqual(counts), { interval: 5 });

it('HAProxy with the file in deploy leads clients to nodes that want them, and cuts nobody', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const started = [await startNode(redis.url), await startNode(redis.url)];
  await started[0]?.installation.account('romeo@localhost');
  const [one, two] = started.map(({ node }) => node) as [RunningParley, RunningParley];
  const ports = (node: RunningParley) => (name: 'c2s' | 'c2sTls' | 'http' | 'agentCheck') => node.port(name);
  const haproxy = await balancer([ports(one), ports(two)]);
  const [c2s = 0, c2sTls = 0] = haproxy.ports;
  const becomes = (name: string, status: RegExp) =>
    vi.waitFor(
      async () => {
        for (const backend of ['nodes', 'nodes-tls']) {
          expect((await haproxy.server(backend, name)).status).toMatch(status);
        }
      },
      { interval: 50 },
    );
  const appear = (resource: string) => appearOver(c2s, `romeo@localhost/${resource}`, CLIENT);

  // both get clients, and know where they come from
  await becomes('node1', /^UP$/);
  await becomes('node2', /^UP$/);
  // of 100, every per cent that a node says is some clients; of 1, which is usual, 99 % would be none
  expect(await haproxy.command('get weight nodes/node1')).toContain('(initial 100)');
  const old = [await appear('a'), await appear('b'), await appear('c'), await appear('d')];
  await overTls(c2sTls);
  await vi.waitFor(() => expect(bound(one).length + bound(two).length).toBe(5), { interval: 5 });
  const before = [bound(one).length, bound(two).length] as const;
  expect(before.toSorted()).toEqual([2, 3]);
  expect(new Set([...bound(one), ...bound(two)].map(({ address }) => address))).toEqual(new Set([CLIENT]));
  expect(await agentOf(two)).toMatch(/^ready up \d+%\n$/);

  // one drains: nobody new, and whoever is there stays, even when the node does not count as ready any more
  const reloaded = two.nextEvent('configuration.reloaded');
  started[1]?.installation.configure({ drain: { now: true } });
  two.child.kill('SIGHUP');
  await reloaded;
  expect(await agentOf(two)).toBe('drain\n');
  const health = await fetch(`http://127.0.0.1:${two.port('http')}/health/ready`);
  expect([health.status, await health.text()]).toEqual([503, expect.stringContaining('drain.now')]);
  await becomes('node2', /DRAIN|DOWN/); // by the agent, or later by the health check
  const drained = [await appear('e'), await appear('f'), await appear('g'), await appear('h')];
  await hasBound([one, two], before[0] + 4, before[1]);
  await becomes('node2', /DOWN/);
  for (const client of [...old, ...drained]) await client.sync();

  // and comes back: it has fewer, so it gets the next one
  const back = two.nextEvent('configuration.reloaded');
  started[1]?.installation.configure({ drain: { now: false } });
  two.child.kill('SIGHUP');
  await back;
  await becomes('node2', /^UP$/);
  const late = await appear('i');
  await hasBound([one, two], before[0] + 4, before[1] + 1);

  // one stops: its clients are told, and find another one at once
  const stopped = one.stop();
  await drained[0]?.closed;
  await appear('j');
  await hasBound([one, two], before[0] + 4, before[1] + 2);
  await stopped;

  // the keyspace is away: nobody new, and whoever is there stays
  if (redis.how === 'environment') return; // it is not ours to stop
  await redis.stop();
  await becomes('node2', /DOWN/);
  expect(await agentOf(two)).toBe('down\n');
  await expect(encrypted(c2s)).rejects.toThrow();
  await late.sync();
});
