import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { giveAway, spawnUnprivileged } from './unprivileged.ts';
import type { XmppPeer, XmppPeerOptions } from './xmpp-peer.ts';

/** For clients, for other servers with STARTTLS, and for those with TLS from the first byte. */
export type PeerPorts = readonly [c2s: number, s2s: number, direct: number];

/** What one is to be run with. */
export interface PeerSetting {
  readonly options: XmppPeerOptions;
  /** All its files go there. */
  readonly folder: string;
  readonly ports: PeerPorts;
}

/** How a make of XMPP server is run. */
export interface PeerMake {
  readonly name: string;
  /** Writes its files, and says what to start. What was there before stays. */
  prepare(setting: PeerSetting): { program: string; words: readonly string[]; env: NodeJS.ProcessEnv };
  /** What it says where somebody else has one of its ports. */
  readonly portTaken: RegExp;
  /** Whether its disk has the account of a user; where left out, it has as soon as it was made. */
  keeps?(folder: string, user: string): boolean;
  /** Whether it listens on all of them, by what it has said. */
  listens(said: string, ports: PeerPorts): boolean;
}

/** Another XMPP server on loopback, in a process of its own that has no privileges. */
export class PeerProcess implements XmppPeer {
  readonly #make: PeerMake;
  readonly #options: XmppPeerOptions;
  readonly #folder: string;
  #ports: PeerPorts = [0, 0, 0];
  #child: ChildProcess | undefined;
  #said = '';

  private constructor(make: PeerMake, options: XmppPeerOptions) {
    this.#make = make;
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), `parley-${make.name.toLowerCase()}-`));
  }

  /** Starts one that is ready, which whoever starts it ends. */
  static async startLasting(make: PeerMake, options: XmppPeerOptions): Promise<PeerProcess> {
    const peer = new PeerProcess(make, options);
    // Somebody else may take a port between the moment it is found free and the moment it is bound.
    for (let attempt = 1; ; attempt++) {
      peer.#ports = [await freePort(), await freePort(), await freePort()];
      if (await peer.#run()) break;
      await peer.kill();
      if (attempt === 5) throw new Error(`${make.name} does not start:\n${peer.#said}`);
    }
    options.dns.serve(options.domain, peer.serverPorts.starttls);
    return peer;
  }

  get domain(): string {
    return this.#options.domain;
  }

  get folder(): string {
    return this.#folder;
  }

  get port(): number {
    return this.#ports[0];
  }

  get serverPorts(): XmppPeer['serverPorts'] {
    return { starttls: this.#ports[1], direct: this.#ports[2] };
  }

  get certificate(): XmppPeer['certificate'] {
    return this.#options.certificate;
  }

  get said(): string {
    return this.#said;
  }

  keeps(user: string): boolean {
    return this.#make.keeps?.(this.#folder, user) ?? true;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    process.off('exit', this.#onExit);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }

  async restart(): Promise<void> {
    await this.kill();
    if (!(await this.#run())) throw new Error(`${this.#make.name} does not start again:\n${this.#said}`);
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Resolves when it listens; false where it cannot, or ended instead. */
  async #run(): Promise<boolean> {
    const make = this.#make;
    const folder = this.#folder;
    const { program, words, env } = make.prepare({ options: this.#options, folder, ports: this.#ports });
    giveAway(folder);
    const child = spawnUnprivileged(program, words, {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#said = '';
    process.once('exit', this.#onExit);
    return await new Promise((resolve, reject) => {
      for (const output of [child.stdout, child.stderr]) {
        output?.on('data', (chunk) => {
          this.#said = (this.#said + chunk).slice(-40_000); // heard to the end: a full pipe would stop it
          if (make.portTaken.test(this.#said)) resolve(false);
          if (make.listens(this.#said, this.#ports)) resolve(true);
        });
      }
      child.once('error', reject);
      child.once('close', () => resolve(false));
    });
  }

  readonly #onExit = () => void this.#child?.kill('SIGKILL');
}
