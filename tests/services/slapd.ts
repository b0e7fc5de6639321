import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { onTestFinished } from 'vitest';
import { standStill } from '../support/stand-still.ts';
import { type CertificateKind, makeCertificates, type ServerCertificates } from './certificates.ts';
import { copyProgram } from './program-file.ts';
import { ROOT, type SlapdContent, slapdConfiguration, slapdEntries, slapdGroups } from './slapd-files.ts';
import { giveAway, programOf, spawnUnprivileged } from './unprivileged.ts';

export interface SlapdOptions extends SlapdContent {
  /** The certificate that it shows. */
  certificate?: CertificateKind;
}

/**
 * A real OpenLDAP server on the loopback interface, in a process of its own that has no privileges: with password
 * policies, memberOf, referential integrity, content synchronisation, SCRAM and TLS, six people and four groups.
 */
export class Slapd {
  readonly #folder: string;
  readonly #certificates: ServerCertificates;
  readonly #options: SlapdOptions;
  #ports: [number, number] = [0, 0];
  #child: ChildProcess | undefined;
  #said = '';

  private constructor(folder: string, certificates: ServerCertificates, options: SlapdOptions) {
    this.#folder = folder;
    this.#certificates = certificates;
    this.#options = options;
  }

  /** Starts one that is ready. Ends with the test, or with `end` where it shall outlive a test. */
  static async start(options: SlapdOptions = {}): Promise<Slapd> {
    const slapd = await Slapd.startLasting(options);
    onTestFinished(() => slapd.end());
    return slapd;
  }

  /** Starts one that whoever starts it ends. */
  static async startLasting(options: SlapdOptions = {}): Promise<Slapd> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-slapd-'));
    const slapd = new Slapd(folder, makeCertificates(join(folder, 'certificates')), options);
    try {
      await slapd.#prepare();
      // Somebody else may take a port between the moment it is found free and the moment it is bound.
      for (let attempt = 1; ; attempt++) {
        slapd.#ports = [await freePort(), await freePort()];
        if (await slapd.#run()) break;
        if (attempt === 5) throw new Error(`slapd does not start:\n${slapd.#said}`);
      }
      await slapd.change(slapdGroups());
      return slapd;
    } catch (error) {
      await slapd.end();
      throw error;
    }
  }

  get port(): number {
    return this.#ports[0];
  }

  get tlsPort(): number {
    return this.#ports[1];
  }

  /** Without encryption, or with StartTLS. */
  get url(): string {
    return `ldap://localhost:${this.port}`;
  }

  get tlsUrl(): string {
    return `ldaps://localhost:${this.tlsPort}`;
  }

  /** The file of the authority that vouches for its good certificate. */
  get authorities(): string {
    return this.#certificates.authority;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /**
   * Changes entries as the directory's administrator. Takes LDIF; entries without a `changetype` are added. `relaxed`:
   * what only the server itself writes may be changed, too, such as pwdChangedTime.
   */
  async change(ldif: string, relaxed = false): Promise<void> {
    const who = [
      '-x',
      ...(relaxed ? ['-e', 'relax'] : []),
      '-a',
      '-H',
      `ldap://127.0.0.1:${this.port}`,
      '-D',
      ROOT.dn,
      '-w',
      ROOT.password,
    ];
    const child = spawn(programOf('slapd', 'ldapmodify'), who, { stdio: ['pipe', 'ignore', 'pipe'] });
    await ended(child, 'ldapmodify', ldif);
  }

  /** Sets attributes of an entry, or takes them away where there are no values. */
  async modify(dn: string, attributes: Record<string, readonly string[]>): Promise<void> {
    const changes = Object.entries(attributes).map(([name, values]) =>
      [`replace: ${name}`, ...values.map((value) => `${name}:: ${Buffer.from(value).toString('base64')}`), '-'].join(
        '\n',
      ),
    );
    await this.change(`dn: ${dn}\nchangetype: modify\n${changes.join('\n')}\n`);
  }

  async remove(dn: string): Promise<void> {
    await this.change(`dn: ${dn}\nchangetype: delete\n`);
  }

  /** Ends the server in good order; its data and ports stay for `restart`. */
  stop(): Promise<void> {
    return this.#signal('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#signal('SIGKILL');
  }

  /** Starts it again on the same ports with what it had, perhaps with another certificate. */
  async restart(certificate?: CertificateKind): Promise<void> {
    await this.stop();
    if (certificate !== undefined) this.#configure(certificate);
    if (!(await this.#run())) throw new Error(`slapd does not start again:\n${this.#said}`);
  }

  /** It takes connections, but says nothing more, until `goOn`. */
  halt(): Promise<void> {
    return standStill(this.pid);
  }

  goOn(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends it and removes what it had. */
  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #prepare(): Promise<void> {
    // AppArmor confines the one in /usr/sbin to the folders of the system's own directory.
    copyProgram(programOf('slapd'), join(this.#folder, 'slapd'));
    mkdirSync(join(this.#folder, 'data'));
    this.#configure(this.#options.certificate ?? 'good');
    giveAway(this.#folder);
    const entries = slapdEntries(this.#options);
    const words = ['-T', 'add', '-q', '-f', this.#file];
    await ended(this.#spawn(words, ['pipe', 'ignore', 'pipe']), 'slapadd', entries);
  }

  get #file(): string {
    return join(this.#folder, 'slapd.conf');
  }

  #configure(certificate: CertificateKind): void {
    writeFileSync(this.#file, slapdConfiguration(this.#folder, this.#certificates, certificate, this.#options));
  }

  #spawn(words: string[], stdio: ('pipe' | 'ignore')[]): ChildProcess {
    return spawnUnprivileged(join(this.#folder, 'slapd'), words, { stdio });
  }

  /** Resolves when it listens; false where it ended instead. */
  async #run(): Promise<boolean> {
    const [port, tlsPort] = this.#ports;

    const urls = `ldap://127.0.0.1:${port} ldaps://127.0.0.1:${tlsPort}`;
    // `none` has it say only what is important: that it starts, for one.
    const child = this.#spawn(['-f', this.#file, '-h', urls, '-d', 'none'], ['ignore', 'ignore', 'pipe']);
    this.#child = child;
    this.#said = '';
    process.once('exit', this.#onExit);
    const started = new Promise<boolean>((resolve, reject) => {
      child.stderr?.on('data', (chunk) => {
        this.#said = (this.#said + chunk).slice(-10_000); // heard to the end: a full pipe would stop it
        if (this.#said.includes('slapd starting')) resolve(true);
      });
      child.once('error', reject);
      child.once('close', () => resolve(false));
    });
    if (!(await started)) return false;
    // It says so a moment before it listens.
    for (const each of this.#ports) {
      while (!(await accepts(each))) if (child.exitCode !== null || child.signalCode !== null) return false;
    }
    return true;
  }

  readonly #onExit = () => void this.#child?.kill('SIGKILL');

  async #signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    process.off('exit', this.#onExit);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    if (signal !== 'SIGKILL') child.kill('SIGCONT'); // one that is halted hears nothing else
    await closed;
  }
}

async function ended(child: ChildProcess, name: string, input: string): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  child.stdin?.on('error', () => {}); // it ends before it has read everything: its code tells
  child.stdin?.end(input);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${name} failed (${code}):\n${said}`);
}

/** Whether somebody listens there. */
function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}
