// What many other domains cost, and whether their memory comes back:
//
//     npm run --silent bench:domains -- [--domains N] [--rounds R] [--snapshots DIR]
//
// starts a server, another one that serves N domains for each round, and a DNS server for both. In each round somebody
// writes to one address of each of N domains that were never heard of before: nine of ten are served by the other
// server, which answers that there is nobody; DNS does not know the rest, or names a port where nobody listens, or one
// where nobody answers. Then all streams become idle and are closed. Prints how many were answered, the CPU time of the
// round, and the memory of the first server after it, when all that nobody needs was collected. Needs openssl.
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { TestDns } from '../tests/services/dns.ts';
import { DomainCertificates } from '../tests/services/domain-certificates.ts';
import { features, isIn, plain } from '../tests/support/login.ts';
import { unencrypted } from '../tests/support/network.ts';
import { benchConfiguration } from './bench-configuration.ts';
import { BenchProcess, cpuMs } from './bench-process.ts';
import { freePort } from './redis-server.ts';

const { values } = parseArgs({
  options: {
    domains: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    snapshots: { type: 'string' },
  },
});
const DOMAINS = Number(values.domains);
const ROUNDS = Number(values.rounds);
const OURS = 'montague.example';
const IDLE_SECONDS = 5;
/** Enough for the slowest machine. */
const QUEUE_SECONDS = 300;
const LONGEST_MS = 400_000;

await using undo = new AsyncDisposableStack();
const root = await mkdtemp(join(tmpdir(), 'parley-bench-'));
undo.defer(() => rm(root, { recursive: true, force: true }));
const certificates = DomainCertificates.make(join(root, 'certificates'));
const dns = undo.use(await TestDns.startLasting());
const mute = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
await once(mute, 'listening');
undo.defer(() => void mute.close());

const served = (round: number, n: number) => `d${n}.round${round}.example`;
const [ourPort, theirPort, nobodysPort] = [await freePort(), await freePort(), await freePort()];

/** `retrySeconds`: between attempts to reach somebody. */
async function start(name: string, domains: object[], port: number, retrySeconds: number): Promise<BenchProcess> {
  const folder = join(root, name);
  await mkdir(folder);
  const keyspace = `embedded:${join(folder, 'data')}`;
  const bench = benchConfiguration({ port: 0, keyspace, durability: 'process', folder });
  const server = undo.use(
    await BenchProcess.start(folder, {
      ...bench,
      domains,
      admins: [],
      listen: { ...bench.listen, s2s: [{ host: '127.0.0.1', port }], s2sTls: [] },
      log: { level: 'info' },
      federation: {
        enabled: true,
        authorities: certificates.authority,
        dnsServers: [dns.address],
        timeouts: { idleSeconds: IDLE_SECONDS },
        queue: { seconds: QUEUE_SECONDS },
        retry: { firstSeconds: retrySeconds, maxSeconds: retrySeconds },
      },
    }),
  );
  await server.told('server.started');
  return server;
}

/** A message to each of these domains, as DNS has them; resolves with how many were answered, when all is closed. */
async function round(domains: readonly string[]): Promise<void> {
  const before = [here, there].map(({ pid }) => cpuMs(pid));
  const answers = new Map<string, number>();
  const left = new Set(domains);
  for (const domain of domains) romeo.send(`<message to='nobody@${domain}' id='${domain}'><body>hi</body></message>`);
  const patience = performance.now() + LONGEST_MS;
  while (left.size > 0) {
    if (performance.now() > patience) throw new Error(`${left.size} were not answered.`);
    await pause(100);
    for (const answer of romeo.inbox.splice(0)) {
      if (answer.name !== 'message') continue; // the server asks whether the client is still there
      const condition = answer.child('error')?.firstChild?.name ?? 'nothing';
      answers.set(condition, (answers.get(condition) ?? 0) + 1);
      if (!left.delete(answer.attr('id') ?? '')) throw new Error(`An answer came that nobody waits for: ${answer}`);
    }
  }
  const [ours = 0, theirs = 0] = [here, there].map(({ pid }, index) => cpuMs(pid) - (before[index] ?? 0));
  const open = (server: BenchProcess) =>
    server.count('s2s.connected') +
    server.count('s2s.accepted') -
    server.count('s2s.closed') -
    server.count('s2s.left');
  while (open(here) + open(there) > 0) await pause(100);
  const told = [...answers].map(([condition, count]) => `${count} ${condition}`).join(', ');
  process.stderr.write(`${told}; ${ours} ms CPU here, ${theirs} ms there\n`);
}

const MIB = 1024 * 1024;
async function tell(label: string): Promise<void> {
  const snapshot =
    values.snapshots === undefined ? '' : resolve(values.snapshots, `${label.replaceAll(' ', '-')}.heapsnapshot`);
  const { heapUsed, external, rss } = await here.memory(snapshot);
  const cells = [heapUsed, external, rss].map((bytes) => (bytes / MIB).toFixed(1));
  console.log(`| ${label} | ${cells.join(' | ')} |`);
}

if (values.snapshots !== undefined) await mkdir(values.snapshots, { recursive: true });
const rounds = Array.from({ length: ROUNDS + 1 }, (_, index) =>
  Array.from({ length: index === 0 ? 50 : DOMAINS }, (_, n) => served(index, n)),
);
dns.serve(OURS, ourPort);
const theirs: object[] = [];
for (const [index, domains] of rounds.entries()) {
  const certificate = certificates.forClients(`*.round${index}.example`);
  for (const [n, domain] of domains.entries()) {
    const kind = n % 40;
    if (kind < 36) {
      theirs.push({ name: domain, ...certificate });
      dns.serve(domain, theirPort);
    } else if (kind === 36) dns.serve(domain, nobodysPort);
    else if (kind === 37) dns.serve(domain, (mute.address() as AddressInfo).port);
  }
}
// nothing is tried twice: what fails is answered at once
const here = await start('here', [{ name: OURS, ...certificates.forClients(OURS) }], ourPort, 2 * QUEUE_SECONDS);
const there = await start('there', theirs, theirPort, 5);
const romeo = await unencrypted(await here.port('c2s'), OURS);
undo.defer(() => romeo.break());
await romeo.request(
  'set',
  `<query xmlns='jabber:iq:register'><username>romeo</username><password>pw</password></query>`,
);
await plain(romeo, 'romeo', 'pw');
await features(romeo);
if (!(await isIn(romeo))) throw new Error('Nobody is let in.');

console.log(`${DOMAINS} domains a round\n`);
console.log('| memory, MiB | heap | external | RSS |\n| --- | ---: | ---: | ---: |');
for (const [index, domains] of rounds.entries()) {
  await round(domains);
  await tell(index === 0 ? `after ${domains.length} domains` : `after round ${index}`);
}
