// What a message to another server costs beside one that stays on its server:
//
//     npm run --silent bench:federation -- [--reps N] [--secs S] [--window W] [--sm] [--keyspace embedded|redis] [--profile DIR]
//
// starts two servers as they are in production, each with its own keyspace, and has 100 users of the first write to 100
// others: in one run to users of the same server, in the next one to users of the other, over one stream with TLS, and so
// on in turn. Prints the CPU time of both servers together for each message, Redis counted: medians and least values.
// Needs gcc, make, libssl-dev and openssl.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DomainCertificates } from '../tests/services/domain-certificates.ts';
import { benchConfiguration } from './bench-configuration.ts';
import { BenchProcess, cpuMs } from './bench-process.ts';
import { Xload, type XloadPlace, type XloadResult } from './bench-xload.ts';
import { freePort, startRedisServer } from './redis-server.ts';

const DOMAINS = ['montague.example', 'capulet.example'] as const;
const USERS = 200;

const { values } = parseArgs({
  options: {
    reps: { type: 'string', default: '7' },
    secs: { type: 'string', default: '3' },
    window: { type: 'string', default: '16' },
    sm: { type: 'boolean', default: false },
    keyspace: { type: 'string', default: 'embedded' },
    profile: { type: 'string' },
  },
});
const REPS = Number(values.reps);

interface Side {
  readonly domain: string;
  readonly server: BenchProcess;
  /** Its own process first. */
  readonly pids: readonly number[];
}

async function startSide(index: number, ports: readonly number[], certificates: DomainCertificates, root: string) {
  await using undo = new AsyncDisposableStack();
  const domain = DOMAINS[index] as string;
  const folder = join(root, domain);
  await mkdir(folder);
  const pids: number[] = [];
  let keyspace = `embedded:${join(folder, 'data')}`;
  if (values.keyspace === 'redis') {
    const redis = await startRedisServer(folder, ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec']);
    if (!redis) throw new Error('redis-server is not installed (Debian: apt-get install redis-server)');
    undo.defer(() => redis.stop('SIGTERM'));
    keyspace = redis.url;
    pids.push(redis.pid);
  }
  const bench = benchConfiguration({ port: 0, keyspace, durability: 'process', folder });
  const config = {
    ...bench,
    domains: [{ name: domain, ...certificates.forClients(domain) }],
    admins: [],
    listen: { ...bench.listen, s2s: [{ host: '127.0.0.1', port: ports[index] }], s2sTls: [] },
    log: { level: 'info' },
    federation: {
      enabled: true,
      default: 'deny',
      authorities: certificates.authority,
      peers: [{ domain: DOMAINS[1 - index], connectTo: `127.0.0.1:${ports[1 - index]}` }],
      limits: { bytesPerSecond: 0, bytesBurst: 0 },
      queue: { maxStanzas: 100_000, maxBytes: 67_108_864 },
    },
  };
  const profile =
    values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(values.profile, domain)}`];
  const server = undo.use(await BenchProcess.start(folder, config, profile));
  await server.told('server.started');
  return { domain, server, pids: [server.pid, ...pids], undo: undo.move() };
}

const median = (list: readonly number[]): number => {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};
const figure = (list: readonly number[]) => `${median(list).toFixed(2)} [${Math.min(...list).toFixed(2)}]`;

await using undo = new AsyncDisposableStack();
const root = await mkdtemp(join(tmpdir(), 'parley-bench-'));
undo.defer(() => rm(root, { recursive: true, force: true }));
const xload = await Xload.make(root);
const certificates = DomainCertificates.make(join(root, 'certificates'));
const listen = [await freePort(), await freePort()];
const sides: Side[] = [];
for (const index of DOMAINS.keys()) {
  const side = await startSide(index, listen, certificates, root);
  undo.use(side.undo);
  sides.push(side);
}
const [here, there] = sides as [Side, Side];
const ports = [await here.server.port('c2s'), await there.server.port('c2s')];
const local: XloadPlace = { ports: ports.slice(0, 1), domains: [here.domain] };
const remote: XloadPlace = { ports, domains: DOMAINS };
const all = sides.flatMap(({ pids }) => pids);
for (const place of [local, remote]) await xload.register(place, USERS);

const words = ['chat', '-n', String(USERS), '--secs', values.secs, '--warmup', '1', '--settle', '500'];
const management = values.sm ? ['--sm', ...(Number(values.window) > 1 ? ['--sm-every', '5'] : [])] : [];
const load = [...words, '-W', values.window, ...management];
const shares: number[] = [];
const runs: Record<'local' | 'remote', XloadResult[]> = { local: [], remote: [] };
const run = async (kind: 'local' | 'remote', kept: boolean) => {
  const before = sides.map(({ server }) => cpuMs(server.pid));
  const result = await xload.measure(load, kind === 'local' ? local : remote, all);
  const [first = 0, second = 0] = sides.map(({ server }, index) => cpuMs(server.pid) - (before[index] ?? 0));
  process.stderr.write(`${kind}: ${result.cpu_us_per_op} µs, ${result.delivered_s} messages a second\n`);
  if (!kept) return;
  runs[kind].push(result);
  if (kind === 'remote') shares.push(first / (first + second));
};
// both ways of the code are compiled, and the stream is there, before anything counts
await xload.measure([...words, '-W', '1'], remote, all);
const kinds = values.profile === undefined ? (['local', 'remote'] as const) : (['remote'] as const);
for (let rep = -1; rep < REPS; rep++) for (const kind of kinds) await run(kind, rep >= 0);

if (values.profile === undefined) print();

function print(): void {
  const cost = (kind: 'local' | 'remote') => runs[kind].map((each) => each.cpu_us_per_op);
  const ratios = cost('remote').map((value, index) => value / (cost('local')[index] as number));
  const faults = (['lost', 'dup', 'ooo', 'errs'] as const).map(
    (name) => `${[...runs.local, ...runs.remote].reduce((sum, each) => sum + each[name], 0)} ${name}`,
  );
  console.log(`Medians [least values] of ${REPS} alternating runs of ${values.secs} s, ${values.window} outstanding`);
  console.log(
    '\n| server CPU, µs per message | within one server | to the other | ratio | of it the sender’s server |',
  );
  console.log('| --- | ---: | ---: | ---: | ---: |');
  console.log(
    `| ${values.sm ? 'XEP-0198' : 'chat'}, ${values.keyspace} | ${figure(cost('local'))} | ${figure(cost('remote'))} | ` +
      `${median(ratios).toFixed(2)} [${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}] | ` +
      `${(median(shares) * 100).toFixed(0)} % |`,
  );
  console.log(`\n${faults.join(', ')}`);
}
