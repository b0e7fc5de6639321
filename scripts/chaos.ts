// Breaks a server under its clients, again and again, and holds what was heard against what was said:
//
//     npm run chaos -- [--minutes 1] [--seed N] [--clients 20]
//
// prints one line of JSON, and fails where anything that was acknowledged was lost, doubled or reordered.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: '20' },
  },
});
const [minutes, seed, clients] = [values.minutes, values.seed, values.clients].map(Number) as [number, number, number];
if (!(minutes > 0 && Number.isInteger(seed) && clients >= 2 && clients % 2 === 0)) {
  process.stderr.write('--minutes is a number above 0, --seed a whole number, --clients an even number.\n');
  process.exit(2);
}
const root = fileURLToPath(new URL('..', import.meta.url));
const env = { CHAOS_SECONDS: String(minutes * 60), CHAOS_SEED: String(seed), CHAOS_CLIENTS: String(clients) };
const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'tests/chaos'], {
  cwd: root,
  env: { ...process.env, ...env },
  stdio: 'inherit',
});
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
