import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openKeyspace } from '@parley/keyspace/open';
import { internalAccounts } from '@parley/server/accounts';
import { clusterSecret } from '@parley/server/cluster-secret';
import { loadConfiguration } from '@parley/server/config/load';
import { moduleSettings } from '@parley/server/module';
import { modules } from '@parley/server/modules';
import { Jid } from '@parley/xmpp/jid';
import { onTestFinished } from 'vitest';
import { PATIENCE } from './in-time.ts';
import { overheard, searchLog } from './log-search.ts';
import { unhurried } from './unhurried.ts';

export const CLI = fileURLToPath(new URL('../../packages/cli/src/parley.ts', import.meta.url));

// PARLEY_… is configuration, and what it says to the tests is none
const { PARLEY_TESTS: _tests, PARLEY_TOPOLOGY: _topology, ...ENVIRONMENT } = process.env;

/** Accounts that are made at a time. */
const AT_A_TIME = 16;

/** So much of a log says why something was not logged. */
const LAST_LINES = 20;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with this text as its standard input. */
export function run(
  program: string,
  args: readonly string[],
  options: { input?: string; env?: object; cwd?: string } = {},
): Promise<Finished> {
  const { cwd } = options;
  const env = { ...ENVIRONMENT, ...options.env };
  const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8'); // a letter may come in two pieces
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {}); // it may end before it has read all
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** A folder of configuration and data, and the real `parley` command on it. */
export class Installation {
  readonly folder = mkdtempSync(join(tmpdir(), 'parley-'));
  readonly file = join(this.folder, 'parley.json');
  readonly config: object;

  constructor(config: object = {}) {
    const nowhere = { host: '127.0.0.1', port: 0 };
    const listen = { c2s: [nowhere], c2sTls: [nowhere], s2s: [nowhere], s2sTls: [nowhere], http: [nowhere] };
    const admin = { socket: join(this.folder, 'parley.sock') };
    const audit = { file: this.auditFile };
    const keyspace = { url: `embedded:${join(this.folder, 'data')}` };
    this.config = { listen, admin, audit, keyspace, ...config };
    this.configure({});
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    onTestFinished(() => searchLog(this.auditText));
  }

  /** Writes the file anew, with these sections in place of those that it began with. */
  configure(config: object): void {
    const written = JSON.stringify(unhurried({ ...this.config, ...config }), null, 2);
    overheard(written);
    writeFileSync(this.file, written);
  }

  get auditFile(): string {
    return join(this.folder, 'audit.log');
  }

  /** What the audit file holds; empty where there is none. */
  get auditText(): string {
    return existsSync(this.auditFile) ? readFileSync(this.auditFile, 'utf8') : '';
  }

  get certificate(): string {
    return join(this.folder, 'data', 'self-signed.crt');
  }

  /** `parley …` to its end. */
  parley(args: readonly string[], input?: string, env?: object): Promise<Finished> {
    return run(process.execPath, [CLI, '--config', this.file, ...args], { input, env });
  }

  async account(jid: string, password = 'secret'): Promise<void> {
    const { code, stderr } = await this.parley(['account', 'add', jid], `${password}\n`);
    if (code !== 0) throw new Error(stderr);
  }

  /** Makes accounts with the password "secret", while no node runs. */
  async accounts(...jids: string[]): Promise<void> {
    const config = loadConfiguration({ file: this.file, env: {}, modules: moduleSettings(modules) });
    const { keyspace } = await openKeyspace(config.keyspace.url);
    try {
      const secret = await clusterSecret(config, keyspace);
      const accounts = internalAccounts({ keyspace, modules, secret, config: () => config });
      for (let first = 0; first < jids.length; first += AT_A_TIME) {
        const some = jids.slice(first, first + AT_A_TIME);
        await Promise.all(some.map((jid) => accounts.create(Jid.parse(jid), 'secret')));
      }
    } finally {
      await keyspace.close();
    }
  }

  /** `parley start`; resolves when it listens. Ends with the test. */
  start(options: StartOptions = {}): Promise<RunningParley> {
    return this.#run('start', 'server.started', options);
  }

  /** `parley snmp`; resolves when it answers. Ends with the test. */
  snmpAgent(): Promise<RunningParley> {
    return this.#run('snmp', 'snmp.started', {});
  }

  async #run(command: string, started: string, options: StartOptions): Promise<RunningParley> {
    const { under = [], flags = [], env = {}, cli = CLI } = options;
    const [program = '', ...args] = [...under, process.execPath, ...flags, cli, '--config', this.file, command];
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    const child = spawn(program, args, { stdio, env: { ...ENVIRONMENT, ...env } });
    const running = new RunningParley(child, started);
    onTestFinished(() => searchLog(JSON.stringify(running.log) + running.stderr));
    onTestFinished(() => running.kill());
    await running.listening;
    return running;
  }
}

export interface StartOptions {
  /** A program, with its arguments, that runs it. */
  readonly under?: readonly string[];
  /** For Node. */
  readonly flags?: readonly string[];
  readonly env?: object;
  /** The program of another version. */
  readonly cli?: string;
}

interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

const noLine = (text: string) => new Error(`This is no line of a log: ${text}`);

/** A node in a process of its own. */
export class RunningParley {
  readonly child: ChildProcess;
  /** Everything it logged. */
  readonly log: LogLine[] = [];
  readonly listening: Promise<void>;
  readonly exited: Promise<number | null>;
  #stderr = '';
  /** A line that is none. */
  #torn: string | undefined;
  #waiters: { event: string; resolve(line: LogLine): void }[] = [];

  /** `started`: the event that tells that it does its work. */
  constructor(child: ChildProcess, started = 'server.started') {
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (chunk) => {
      this.#stderr += chunk;
    });
    this.exited = new Promise((resolve) => child.once('close', resolve));
    child.once('close', (_, signal) => this.#onEnd(signal));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (text) => this.#onLine(text));
    const failed = this.exited.then((code) => {
      throw new Error(`It ended with ${code}: ${this.#stderr}`);
    });
    this.listening = Promise.race([this.event(started).then(() => undefined), failed]);
    failed.catch(() => {});
  }

  #onLine(text: string): void {
    if (this.#torn !== undefined) throw noLine(this.#torn);
    let line: LogLine;
    try {
      line = JSON.parse(text) as LogLine;
    } catch {
      this.#torn = text; // whoever is killed may leave half a line, as the last one
      return;
    }
    this.log.push(line);
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.event !== line.event) return true;
      waiter.resolve(line);
      return false;
    });
  }

  #onEnd(signal: NodeJS.Signals | null): void {
    if (this.#torn !== undefined && signal !== 'SIGKILL') throw noLine(this.#torn);
  }

  /** The next line of this event, or the last that was logged already. */
  event(event: string): Promise<LogLine> {
    const before = this.log.findLast((line) => line.event === event);
    return before === undefined ? this.nextEvent(event) : Promise.resolve(before);
  }

  /** The next line of this event that is not logged yet. Rejects where it has ended without, or takes longer than anybody waits. */
  nextEvent(event: string): Promise<LogLine> {
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    this.#waiters.push({ event, resolve });
    const missing = (why: string) => {
      const last = this.log.slice(-LAST_LINES).map((line) => JSON.stringify(line));
      reject(new Error(`${why} logging ${event}. Its last lines:\n${last.join('\n')}\n${this.#stderr}`));
    };
    const timer = setTimeout(() => missing('It takes too long before'), PATIENCE).unref();
    void this.exited.then((code) => missing(`It ended with ${code} before`));
    const logged = promise.finally(() => clearTimeout(timer));
    logged.catch(() => {}); // of several nodes one may log it, and nobody waits for the others
    return logged;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get stderr(): string {
    return this.#stderr;
  }

  port(name: 'c2s' | 'c2sTls' | 's2s' | 'components' | 'http' | 'agentCheck'): number {
    const started = this.log.find((line) => line.event === 'server.started');
    const listeners = (started?.listeners ?? []) as { name: string; port: number }[];
    const found = listeners.find((listener) => listener.name === name);
    if (found === undefined) throw new Error(`It does not listen for ${name}.`);
    return found.port;
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.exited;
  }

  /** kill -9 */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
