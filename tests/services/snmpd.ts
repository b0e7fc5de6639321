import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { freeUdpPort } from './free-udp-port.ts';
import { MANAGER } from './net-snmp.ts';
import { giveAway, programOf, spawnUnprivileged } from './unprivileged.ts';

/** Debian's snmpd as a master agent (AgentX), which can be stopped and started again. */
export class Snmpd implements AsyncDisposable {
  readonly port: number;
  /** Where subagents connect. */
  readonly master: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'parley-snmpd-'));
  #child: ChildProcess | undefined;

  private constructor(port: number, agentx: number, traps: number, community: string) {
    this.port = port;
    this.master = `127.0.0.1:${agentx}`;
    const lines = [
      'master agentx',
      `agentXSocket tcp:${this.master}`,
      `createUser ${MANAGER.name} SHA-256 "${MANAGER.password}" AES "${MANAGER.privacyPassword}"`,
      `rouser ${MANAGER.name} priv`,
      `trap2sink 127.0.0.1:${traps} ${community}`,
    ];
    writeFileSync(join(this.#folder, 'agent.conf'), `${lines.join('\n')}\n`); // snmpd.conf is what it writes itself
    giveAway(this.#folder);
  }

  static async start(traps: number, community: string): Promise<Snmpd> {
    const snmpd = new Snmpd(await freeUdpPort(), await freePort(), traps, community);
    await snmpd.start();
    return snmpd;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const args = ['-f', '-Lo', '-C', '-c', join(this.#folder, 'agent.conf'), '-p', join(this.#folder, 'pid'), '-m', ''];
    const env = { ...process.env, SNMP_PERSISTENT_DIR: this.#folder };
    this.#child = spawnUnprivileged(programOf('snmpd'), [...args, `udp:127.0.0.1:${this.port}`], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      for (const stream of [this.#child?.stdout, this.#child?.stderr]) {
        stream?.on('data', (chunk) => {
          said += chunk;
          if (said.includes('NET-SNMP version')) resolve();
        });
      }
      this.#child?.once('close', () => reject(new Error(`snmpd ended: ${said}`)));
    });
  }

  async stop(): Promise<void> {
    if (this.#child === undefined) return;
    const gone = once(this.#child, 'close');
    this.#child.kill();
    await gone;
    this.#child = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
