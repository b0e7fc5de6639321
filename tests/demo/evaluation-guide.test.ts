import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { portsAt } from '../../scripts/demo/ports.ts';
import { testNeeds } from '../../scripts/test-services.ts';
import { writeProgram } from '../services/program-file.ts';
import { type Finished, run } from '../support/process.ts';
import { UNHURRIED } from '../support/unhurried.ts';
import { read, root } from './compose-file.ts';
import { freeOffset } from './demonstration.ts';
import { stepsOf } from './guide.ts';
import { Terminal } from './terminal.ts';

/** What the guide says, with ports that nobody else has. */
class Machine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'parley-guide-'));
  readonly clone = join(this.#folder, 'parley');
  readonly #offset: number;
  readonly #env: NodeJS.ProcessEnv;
  readonly #terminals = new Map<string, Terminal>();

  constructor(offset: number) {
    this.#offset = offset;
    onTestFinished(() => rmSync(this.#folder, { recursive: true, force: true }));
    this.#layClone();
    const programs = join(this.#folder, 'bin');
    mkdirSync(programs);
    const program = (name: string, text: string) => writeProgram(join(programs, name), `#!/bin/sh\n${text}\n`);
    // What it would install has to be there already: the tests' own services are.
    program('sudo', 'exec "$@"');
    program('apt-get', 'exec /usr/bin/apt-get --simulate "$@"');
    // the machine's own Node.js, and not what brought this test here
    const path = (process.env.PATH ?? '').split(delimiter).filter((each) => !each.startsWith(root));
    const [c2s, c2sTls, http] = [5222, 5223, 5280].map((port) => `[{"host":"127.0.0.1","port":${port + offset}}]`);
    this.#env = {
      ...process.env,
      ...UNHURRIED,
      ...notOf(/^(PARLEY|VITEST|npm)_(?!config_(registry|cafile|userconfig|.*proxy)$)/i), // what runs the tests says of itself
      PATH: [programs, ...path].join(delimiter),
      SNMP_PERSISTENT_DIR: this.#folder,
      PARLEY_LISTEN__C2S: c2s,
      PARLEY_LISTEN__C2S_TLS: c2sTls,
      PARLEY_LISTEN__HTTP: http,
    };
  }

  /** What git would clone: nothing that was installed or made. */
  #layClone(): void {
    const words = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
    const { stdout } = spawnSync('git', words, { cwd: root, encoding: 'utf8' });
    for (const file of stdout.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) {
      mkdirSync(dirname(join(this.clone, file)), { recursive: true });
      copyFileSync(join(root, file), join(this.clone, file));
    }
  }

  run(command: string, input: string): Promise<Finished> {
    return run('bash', ['-ec', this.#here(command)], { cwd: this.clone, input, env: this.#without(command) });
  }

  start(name: string, command: string): void {
    this.#terminals.set(name, new Terminal(this.#here(command), this.clone, this.#without(command)));
  }

  terminal(name: string): Terminal {
    const terminal = this.#terminals.get(name);
    if (terminal === undefined) throw new Error(`There is no terminal ${name}.`);
    return terminal;
  }

  #here(command: string): string {
    const usual = Object.values(portsAt(0));
    return command
      .replace(/\b\d{4}\b/g, (port) => (usual.includes(Number(port)) ? String(Number(port) + this.#offset) : port))
      .replace(/^npm run demo$/, `npm run demo -- --port-offset ${this.#offset}`);
  }

  /** Ports of the demonstration are in its files: only the single node is told by the environment. */
  #without(command: string): NodeJS.ProcessEnv {
    if (/^npm (start|run parley)\b/.test(command)) return this.#env;
    return {
      ...this.#env,
      PARLEY_LISTEN__C2S: undefined,
      PARLEY_LISTEN__C2S_TLS: undefined,
      PARLEY_LISTEN__HTTP: undefined,
    };
  }
}

/** Takes variables out of an environment that they are put into. */
const notOf = (names: RegExp) =>
  Object.fromEntries(Object.keys(process.env).flatMap((name) => (names.test(name) ? [[name, undefined]] : [])));

it('docs/evaluation.md leads from a clean clone to all that it promises, command by command', async () => {
  const machine = new Machine(await freeOffset());
  let shown = '';
  let command = '';
  for (const step of stepsOf(read('docs/evaluation.md'))) {
    if (step.does === 'start') machine.start(step.terminal, step.command);
    else if (step.does === 'interrupt') await machine.terminal(step.terminal).interrupt();
    else if (step.does === 'run') {
      const { code, stdout, stderr } = await machine.run(step.command, `${step.input}\n`);
      expect({ command: step.command, code, stderr: code === 0 ? '' : stderr + stdout }).toEqual({
        command: step.command,
        code: 0,
        stderr: '',
      });
      if (step.installs) expect(stdout).toMatch(/^\d+ upgraded, 0 newly installed, 0 to remove/m);
      shown = stdout + stderr;
      command = step.command;
    } else if (step.does === 'repeat') {
      await expect.poll(async () => (await machine.run(command, '')).stdout).toContain(step.text);
    } else if (step.terminal === undefined) expect(shown).toContain(step.text);
    else await machine.terminal(step.terminal).shows(step.text);
  }
  expect(existsSync(join(machine.clone, 'demo'))).toBe(false);
  expect(existsSync(join(machine.clone, 'data'))).toBe(false);
}, 300_000);

it('what it has installed is what the tests have', () => {
  const [install] = stepsOf(read('docs/evaluation.md'));
  const packages = install?.does === 'run' ? install.command.split(' ').slice(4) : [];
  expect(packages.length).toBeGreaterThan(5);
  const known = ['libatomic1', ...testNeeds.flatMap((need) => need.packages)]; // it comes with Node.js: scripts/bootstrap.mjs
  expect(packages.filter((name) => !known.includes(name))).toEqual([]);
});

it('the first chat of README.md is its own', () => {
  const [, section = ''] = /^## Start it\n([\s\S]*?)^## Try a whole cluster$/m.exec(read('README.md')) ?? [];
  const commands = Array.from(section.matchAll(/^ {4}(\S.*)$/gm), ([, command = '']) => command);
  expect(commands).toHaveLength(4);
  const guide = stepsOf(read('docs/evaluation.md')).flatMap((step) => ('command' in step ? [step.command] : []));
  expect(
    commands.map((each) => each.replace('BOBS_PASSWORD', 'pickwick')).filter((each) => !guide.includes(each)),
  ).toEqual([]);
});
