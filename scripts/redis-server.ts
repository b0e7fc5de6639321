import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { findProgram } from './test-services.ts';

export interface RedisServer {
  url: string;
  pid: number;
  /** Ends it: at once, or after it has written what it keeps. */
  stop(how?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

/**
 * Starts a Redis (or Valkey) of one's own on a free port of 127.0.0.1, with its files in `folder`; undefined where none
 * is installed. `options` are the program's own, `['--maxmemory', '1mb']`.
 */
export async function startRedisServer(folder: string, options: string[]): Promise<RedisServer | undefined> {
  const program = findProgram('redis-server', 'valkey-server');
  if (!program) return undefined;
  const setpriv = findProgram('setpriv');
  // Somebody else may take a port between the moment it is found free and the moment Redis binds it.
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
    // Linux ends the server with the thread that started it, even one that is terminated and hears no `exit`.
    const [command = program, ...words] = [...(setpriv ? [setpriv, '--pdeathsig', 'KILL'] : []), program];
    const child = spawn(command, [...words, ...own, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    const failure = await ready(child);
    if (failure === undefined && child.pid !== undefined) {
      const stop: RedisServer['stop'] = async (how = 'SIGKILL') => {
        process.off('exit', kill);
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill(how);
        await once(child, 'exit');
      };
      return { url: `redis://127.0.0.1:${port}`, pid: child.pid, stop };
    }
    process.off('exit', kill);
    if (attempt === 5 || !/bind|in use/i.test(failure ?? '')) {
      throw new Error(`${program} does not start:\n${failure}`);
    }
  }
}

/** Waits until the server listens. Returns what it said when it ends instead. */
function ready(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = '';
    const hear = (chunk: Buffer) => {
      said = (said + chunk).slice(-10_000); // Heard to the end: a full pipe would stop the server.
      if (/Ready to accept connections/i.test(said)) resolve(undefined);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => resolve(said));
  });
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
