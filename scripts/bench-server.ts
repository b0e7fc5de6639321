// A server prepared for load generators and foreign test suites:
//
//     npm run --silent bench:server -- --port P [--keyspace embedded|redis|redis://…] [--nodes N] [--data DIR]
//
// On 127.0.0.1, domain localhost, admin@localhost an administrator; in-band registration open, limits of rate and number
// off, PLAIN and SCRAM allowed without TLS, STARTTLS offered, durability as in production. When it listens it prints one
// line of JSON, {"port":…,"ports":[…],"pids":[…]}: a port for each node, every process of it. Several nodes are a process
// each and run on when one of them is killed. Its log goes to standard error. It ends on SIGTERM, with all that it
// started. Never for production: whoever reaches the port may make accounts.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { configurationSchema } from '../packages/server/src/config/schema.ts';
import { Log } from '../packages/server/src/log.ts';
import { Server } from '../packages/server/src/main.ts';
import { moduleSettings } from '../packages/server/src/module.ts';
import { modules } from '../packages/server/src/modules.ts';
import { benchConfiguration } from './bench-configuration.ts';
import { startBenchNodes } from './bench-nodes.ts';
import { type BenchOptions, benchOptions, usage } from './bench-options.ts';
import { startRedisServer } from './redis-server.ts';

async function start(options: BenchOptions, undo: AsyncDisposableStack): Promise<void> {
  const folder = options.data ? resolve(options.data) : await mkdtemp(join(tmpdir(), 'parley-bench-'));
  if (options.data) await mkdir(folder, { recursive: true });
  else undo.defer(() => rm(folder, { recursive: true, force: true }));

  const pids = [process.pid];
  let url = options.keyspace === 'embedded' ? `embedded:${join(folder, 'data')}` : options.keyspace;
  if (options.keyspace === 'redis') {
    const redis = await startRedisServer(folder, ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec']);
    if (!redis) throw new Error('redis-server is not installed (Debian: apt-get install redis-server)');
    undo.defer(() => redis.stop('SIGTERM'));
    pids.push(redis.pid);
    url = redis.url;
  }

  const { port, durability, nodes } = options;
  if (nodes > 1) {
    const children = undo.use(await startBenchNodes({ port, nodes, url, folder }));
    const ports = Array.from({ length: nodes }, (_, index) => port + index);
    process.stdout.write(`${JSON.stringify({ port, ports, pids: [...pids, ...children.pids] })}\n`);
    return;
  }
  const config = configurationSchema(moduleSettings(modules)).parse(
    benchConfiguration({ port, keyspace: url, durability, folder }),
  );
  const log = Log.create({ level: config.log.level, output: { write: (line) => void process.stderr.write(line) } });
  undo.use(await Server.start({ config, log, readConfiguration: () => config }));
  process.stdout.write(`${JSON.stringify({ port, ports: [port], pids })}\n`);
}

const undo = new AsyncDisposableStack();
const stopped = new Promise((stop) => {
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop);
  if (process.connected) process.once('disconnect', stop); // one of several nodes goes with the process that started it
});
try {
  const options = benchOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(`${usage}\n`);
  else {
    await start(options, undo);
    await stopped;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}\n`);
  process.exitCode = 1;
} finally {
  await undo.disposeAsync();
  if (process.connected) process.disconnect?.(); // which would keep this process running
}
