// A storm of logins on a server whose accounts are in a directory:
//
//     npm run --silent bench:directory -- [--logins N] [--at-once N]
//
// starts a real slapd with as many people, and a server for each way to log in, as separate processes on loopback. Everybody
// logs in once on a connection of their own, without TLS to the server and with TLS from there to slapd. Prints a table: what
// a login costs in CPU time, server and slapd apart and with the connection, and how long clients waited from their first
// word of SASL to the end, their own work included.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Slapd } from '../tests/services/slapd.ts';
import { PEOPLE, personDn, SERVICE } from '../tests/services/slapd-files.ts';
import type { TestClient } from '../tests/support/client.ts';
import { plain, scram } from '../tests/support/login.ts';
import { unencrypted } from '../tests/support/network.ts';
import { benchConfiguration } from './bench-configuration.ts';
import { BenchProcess, cpuMs } from './bench-process.ts';

const { values } = parseArgs({
  options: { logins: { type: 'string', default: '1000' }, 'at-once': { type: 'string', default: '16' } },
});
const LOGINS = Number(values.logins);
const AT_ONCE = Number(values['at-once']);

type Way = 'PLAIN' | 'SCRAM-SHA-256';

const password = (uid: string) => `pw-${uid}`;
const people = Array.from({ length: LOGINS }, (_, index) => `person${index}`);
const entry = (uid: string) =>
  `dn: ${personDn(uid)}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: Person\nmail: ${uid}@localhost\nuserPassword: ${password(uid)}\n\n`;

async function startServer(slapd: Slapd | undefined, kind: string, undo: AsyncDisposableStack) {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  const bench = benchConfiguration({
    port: 0,
    keyspace: `embedded:${join(folder, 'data')}`,
    durability: 'process',
    folder,
  });
  const directory = slapd && {
    name: 'bench',
    servers: [slapd.url],
    authorities: slapd.authorities,
    bind: { dn: SERVICE.dn, password: SERVICE.password },
    people: { base: PEOPLE },
    passwords: { scram: kind },
  };
  const config = {
    ...bench,
    log: { level: 'info' },
    ...(directory && { directories: [directory], authentication: { ...bench.authentication, accounts: ['bench'] } }),
  };
  const server = undo.use(await BenchProcess.start(folder, config));
  const port = await server.port('c2s');
  if (directory !== undefined) await server.told('directory.followed');
  return { port, pid: server.pid };
}

const NAMES: Record<Way, (client: TestClient, uid: string) => ReturnType<typeof plain>> = {
  PLAIN: (client, uid) => plain(client, uid, password(uid)),
  'SCRAM-SHA-256': (client, uid) => scram(client, { username: uid, password: password(uid), hash: 'SHA-256' }),
};

/** Has everybody log in once; gives how long each of them waited, in milliseconds. */
async function storm(port: number, way: Way): Promise<number[]> {
  const waits: number[] = [];
  const left = [...people];
  const one = async () => {
    for (let uid = left.pop(); uid !== undefined; uid = left.pop()) {
      const client = await unencrypted(port);
      const begun = performance.now();
      const answer = await NAMES[way](client, uid);
      waits.push(performance.now() - begun);
      if (answer.name !== 'success') throw new Error(`${uid} did not get in by ${way}: ${answer}`);
      client.break();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return waits.sort((a, b) => a - b);
}

const at = (sorted: readonly number[], part: number) =>
  (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(1);

async function measure(name: string, kind: string, way: Way, slapd: Slapd | undefined, taught = false): Promise<void> {
  await using undo = new AsyncDisposableStack();
  const { port, pid } = await startServer(slapd, kind, undo);
  if (slapd === undefined) await register(port);
  if (taught) await storm(port, 'PLAIN');
  const pids = [pid, ...(slapd ? [slapd.pid] : [])];
  const before = pids.map(cpuMs);
  const begun = performance.now();
  const waits = await storm(port, way);
  const seconds = (performance.now() - begun) / 1000;
  const [server = 0, directory = 0] = pids.map((each, index) => (cpuMs(each) - (before[index] ?? 0)) / LOGINS);
  const cells = [
    server.toFixed(2),
    slapd ? directory.toFixed(2) : '',
    at(waits, 0.5),
    at(waits, 0.99),
    (LOGINS / seconds).toFixed(0),
  ];
  console.log(`| ${name} | ${cells.join(' | ')} |`);
}

async function register(port: number): Promise<void> {
  const client = await unencrypted(port);
  for (const uid of people) {
    const query = `<query xmlns='jabber:iq:register'><username>${uid}</username><password>${password(uid)}</password></query>`;
    const { type } = { type: (await client.request('set', query)).attr('type') };
    if (type !== 'result') throw new Error(`${uid} cannot be registered.`);
  }
  client.break();
}

await using undo = new AsyncDisposableStack();
const slapd = await Slapd.startLasting({ global: 'sizelimit unlimited', ldif: people.map(entry).join('') });
undo.defer(() => slapd.end());
console.log(`${LOGINS} logins, ${AT_ONCE} at once\n`);
console.log('| way to log in | server, ms CPU | slapd, ms CPU | median wait, ms | 99 %, ms | logins per second |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
await measure('own accounts, PLAIN', 'none', 'PLAIN', undefined);
await measure('own accounts, SCRAM-SHA-256', 'none', 'SCRAM-SHA-256', undefined);
await measure('directory, PLAIN', 'none', 'PLAIN', slapd);
await measure('directory, PLAIN that teaches (`learn`, the first login)', 'learn', 'PLAIN', slapd);
await measure('directory, SCRAM-SHA-256 by `learn`', 'learn', 'SCRAM-SHA-256', slapd, true);
await measure('directory, SCRAM-SHA-256 by `relay`', 'relay', 'SCRAM-SHA-256', slapd);
