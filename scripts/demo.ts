// Starts a whole cluster of Parley on this machine, to try it out: two nodes, Redis, a directory, HAProxy, the SNMP agent and
// Prometheus, as processes on the loopback interface. docs/evaluation.md leads through it; docker-compose.yml is the same with
// containers, from the same files in deploy/demo.
//
//     node scripts/demo.ts [--folder DIRECTORY] [--port-offset N]
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stopSignal } from '../packages/cli/src/stop-signal.ts';
import { demoNeeds } from './demo/needs.ts';
import { portsAt, taken } from './demo/ports.ts';
import { recipes } from './demo/recipes.ts';
import { Service } from './demo/service.ts';
import { prepare } from './demo/state.ts';
import { whatToTry } from './demo/things-to-try.ts';
import { provide } from './test-services.ts';

const usage = `npm run demo -- [--folder DIRECTORY] [--port-offset N]

  --folder DIRECTORY   where it keeps everything (demo, in the folder of the clone)
  --port-offset N      have all ports N higher, where some are taken
`;

const say = (text: string) => void process.stdout.write(`${text}\n`);

async function demo(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      folder: { type: 'string', default: 'demo' },
      'port-offset': { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say(usage);
  const begun = Date.now();
  const ports = portsAt(Number(values['port-offset']));
  const folder = resolve(values.folder);
  await provide(demoNeeds);
  const inUse = await taken(ports);
  if (inUse.length > 0) {
    throw new Error(
      `Something else listens on port ${inUse.join(', ')}: stop it, or have all ports higher: npm run demo -- --port-offset 10000`,
    );
  }
  prepare(folder, ports);

  const rows = recipes(ports).map((row) => row.map((recipe) => new Service(recipe, folder, say)));
  const services = rows.flat();
  process.on('exit', () => {
    for (const service of services) service.kill();
  });
  const asked = stopSignal();
  try {
    const started = start(rows);
    started.catch(() => {}); // where it is told to stop meanwhile
    if ((await Promise.race([started, asked])) === undefined) {
      const shown = relative(process.cwd(), folder);
      say(`\nThe demonstration is ready, after ${Math.ceil((Date.now() - begun) / 1000)} s.\n`);
      say(whatToTry({ folder: shown.startsWith('..') ? folder : shown, ports }));
      await asked;
    }
    say('\nStopping …');
  } finally {
    // in reverse: nodes still write to Redis when they go
    for (const row of rows.toReversed()) await Promise.all(row.map((service) => service.stop()));
  }
  say('All of it has stopped.');
}

async function start(rows: Service[][]): Promise<undefined> {
  for (const row of rows) {
    await Promise.all(
      row.map(async (service) => {
        await service.start();
        say(`  ${service.recipe.name.padEnd(12)}process ${service.pid}`);
      }),
    );
  }
}

try {
  await demo(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
