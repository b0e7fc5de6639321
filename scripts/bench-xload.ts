import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('../tests/bench/xload', import.meta.url));
const run = promisify(execFile);

/** What a run of the load generator found (tests/bench/xload/README.md). */
export interface XloadResult {
  /** Of all processes of the servers together. */
  readonly cpu_us_per_op: number;
  readonly delivered_s: number;
  readonly tool_cpu_pct: number;
  readonly lost: number;
  readonly dup: number;
  readonly ooo: number;
  readonly errs: number;
}

/** Users on ports of 127.0.0.1 and of as many domains, in turn. */
export interface XloadPlace {
  readonly ports: readonly number[];
  readonly domains: readonly string[];
}

/** The load generator, made anew in a folder. */
export class Xload {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(folder: string): Promise<Xload> {
    const made = join(folder, 'xload');
    await cp(SOURCE, made, { recursive: true });
    await run('make', ['-s', '-C', made]);
    return new Xload(made);
  }

  /** Makes the accounts; those that there are stay. */
  async register(place: XloadPlace, users: number): Promise<void> {
    await this.#run(['register', '-n', String(users)], place);
  }

  /** `words`: mode and options. */
  async measure(words: readonly string[], place: XloadPlace, pids: readonly number[]): Promise<XloadResult> {
    const login = ['--mech', 'scram', '--scram-cache', join(this.#folder, 'scram')];
    const said = await this.#run([...words, ...login, '--pids', pids.join(',')], place);
    const line = said.split('\n').find((each) => each.startsWith('RESULT '));
    if (line === undefined) throw new Error(`xload found nothing:\n${said}`);
    return JSON.parse(line.slice('RESULT '.length));
  }

  async #run(words: readonly string[], { ports, domains }: XloadPlace): Promise<string> {
    const where = ['-p', ports.join(','), '-d', domains.join(',')];
    const { stdout } = await run(join(this.#folder, 'xload'), [...words, ...where]);
    return stdout;
  }
}
