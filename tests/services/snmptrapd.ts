import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { vi } from 'vitest';
import { PATIENCE } from '../support/in-time.ts';
import { MANAGER } from './net-snmp.ts';
import { giveAway, programOf, spawnUnprivileged } from './unprivileged.ts';

const MANAGER_KEYS = `${MANAGER.name} SHA-256 "${MANAGER.password}" AES "${MANAGER.privacyPassword}"`;

const fail = (why: string): never => {
  throw new Error(why);
};

/** Debian's snmptrapd: it gets what an agent tells. */
export class TrapReceiver implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'parley-traps-'));
  readonly #child: ChildProcess;
  /** Everything that it has told. */
  readonly lines: string[] = [];

  private constructor(port: number, community: string, engineId?: string) {
    const file = join(this.#folder, 'traps.conf');
    writeFileSync(
      file,
      [
        ...(engineId === undefined ? [] : [`createUser -e 0x${engineId} ${MANAGER_KEYS}`]),
        `createUser ${MANAGER_KEYS}`,
        `authUser log ${MANAGER.name} priv`,
        `authCommunity log ${community}`,
        'format2 %P|%V|%v\\n',
      ].join('\n'),
    );
    giveAway(this.#folder); // snmptrapd.conf is what it writes itself
    const args = ['-f', '-Lo', '-n', '-On', '-m', '', '-C', '-c', file, `udp:127.0.0.1:${port}`];
    const env = { ...process.env, SNMP_PERSISTENT_DIR: this.#folder, MIBS: '' };
    this.#child = spawnUnprivileged(programOf('snmptrapd'), args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => this.lines.push(line));
  }

  /** Resolves when it listens. `engineId`: it takes traps of this engine (RFC 3414 §2.1), beside informs. */
  static async start(port: number, community: string, engineId?: string): Promise<TrapReceiver> {
    const receiver = new TrapReceiver(port, community, engineId);
    await receiver.line(/NET-SNMP version/);
    return receiver;
  }

  /** The first line that says this, whenever it comes. Rejects where it takes longer than anybody waits. */
  line(words: RegExp): Promise<string> {
    const find = () => this.lines.find((line) => words.test(line)) ?? fail(`No ${words} in:\n${this.lines.join('\n')}`);
    return vi.waitFor(find, { timeout: PATIENCE, interval: 50 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, 'close');
    this.#child.kill();
    await gone;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
