import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { findProgram, missingMessage, testNeeds } from '../../scripts/test-services.ts';

/** A configuration file in which addresses, ports and paths are replaced by those of the test. */
export interface HaproxyFile {
  /** `ports` are free ones. */
  text(ports: readonly number[], socket: string): string;
  /** How many ports of its own it needs. */
  readonly ports: number;
}

/** HAProxy in a process of its own. */
export class Haproxy {
  readonly ports: readonly number[];
  readonly #socket: string;

  private constructor(ports: readonly number[], socket: string) {
    this.ports = ports;
    this.#socket = socket;
  }

  /** Starts Debian's HAProxy. Ends with the test. */
  static async start(file: HaproxyFile): Promise<Haproxy> {
    const program = findProgram('haproxy');
    if (program === undefined) {
      throw new Error(
        missingMessage(
          testNeeds.filter(({ name }) => name === 'haproxy'),
          'haproxy is not installed',
        ),
      );
    }
    // Somebody else may take a port between the moment it is found free and the moment it is bound.
    for (let attempt = 1; ; attempt++) {
      const haproxy = await Haproxy.#attempt(program, file);
      if (typeof haproxy !== 'string') return haproxy;
      if (attempt === 5 || !/already in use/i.test(haproxy)) throw new Error(`HAProxy does not start:\n${haproxy}`);
    }
  }

  /** Answers with what it said where it does not start. */
  static async #attempt(program: string, file: HaproxyFile): Promise<Haproxy | string> {
    const folder = mkdtempSync(join(tmpdir(), 'haproxy-'));
    const name = join(folder, 'haproxy.cfg');
    const ports = await freePorts(file.ports);
    const haproxy = new Haproxy(ports, join(folder, 'admin.sock'));
    writeFileSync(name, file.text(ports, join(folder, 'admin.sock')));
    const child = spawn(program, ['-db', '-f', name], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const output of [child.stdout, child.stderr]) {
      output.on('data', (chunk) => {
        said = (said + chunk).slice(-10_000); // heard to the end: a full pipe would stop it
      });
    }
    const kill = () => void child.kill('SIGKILL');
    process.once('exit', kill);
    const closed = once(child, 'close');
    onTestFinished(async () => {
      kill();
      await closed;
      process.off('exit', kill);
      rmSync(folder, { recursive: true });
    });
    while (child.exitCode === null && child.signalCode === null) {
      if (await haproxy.#answers()) return haproxy;
    }
    return said;
  }

  async #answers(): Promise<boolean> {
    return this.command('show info').then(
      () => true,
      () => new Promise((resolve) => setImmediate(resolve, false)),
    );
  }

  /** What it answers on its socket. */
  async command(command: string): Promise<string> {
    const socket = connect(this.#socket);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    await once(socket, 'connect');
    socket.write(`${command}\n`);
    await once(socket, 'close');
    return text;
  }

  /** What it thinks of a server: `UP`, `DRAIN`, `DOWN (agent)`, and the weight. */
  async server(backend: string, name: string): Promise<{ status: string; weight: number }> {
    const [head = '', ...lines] = (await this.command('show stat')).replace(/^# /, '').split('\n');
    const columns = head.split(',');
    const row = lines.map((line) => line.split(',')).find(([proxy, server]) => proxy === backend && server === name);
    const field = (column: string) => row?.[columns.indexOf(column)] ?? '';
    return { status: field('status'), weight: Number(field('weight')) };
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
