import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { findProgram, missingMessage, testNeeds } from '../../scripts/test-services.ts';
import { type CertificateKind, makeCertificates, type ServerCertificates } from './certificates.ts';
import { ROOT, type SlapdContent, slapdConfiguration, slapdEntries, slapdGroups } from './slapd-files.ts';

export interface SlapdOptions extends SlapdContent {
  /** The certificate that it shows. */
  certificate?: CertificateKind;
}

/** Debian's nobody and nogroup, for tests that root runs. */
const NOBODY = 65_534;

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
    const child = spawn(program('ldapmodify'), who, { stdio: ['pipe', 'ignore', 'pipe'] });
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
  halt(): void {
    this.#child?.kill('SIGSTOP');
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
    copyFileSync(program('slapd'), join(this.#folder, 'slapd'));
    mkdirSync(join(this.#folder, 'data'));
    this.#configure(this.#options.certificate ?? 'good');
    this.#giveAway();
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

  /** Where root runs the tests, everything is to belong to the one who runs the server. */
  #giveAway(): void {
    if (process.getuid?.() !== 0) return;
    for (const name of ['', ...(readdirSync(this.#folder, { recursive: true }) as string[])]) {
      chownSync(join(this.#folder, name), NOBODY, NOBODY);
    }
    chmodSync(this.#folder, 0o755); // tests read the certificates
  }

  #spawn(words: string[], stdio: ('pipe' | 'ignore')[]): ChildProcess {
    const own = join(this.#folder, 'slapd');
    const setpriv = findProgram('setpriv');
    if (setpriv === undefined) return spawn(own, words, { stdio });
    const nobody = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
    // Linux ends the server with the thread that started it, even one that is terminated and hears no `exit`.
    const before = ['--pdeathsig', 'KILL', ...(process.getuid?.() === 0 ? nobody : [])];
    return spawn(setpriv, [...before, own, ...words], { stdio });
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

function program(name: string): string {
  const found = findProgram(name);
  if (found !== undefined) return found;
  const slapd = testNeeds.filter((need) => need.name === 'slapd');
  throw new Error(missingMessage(slapd, `${name} is not installed`));
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
