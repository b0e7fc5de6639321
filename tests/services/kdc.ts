import type { ChildProcess } from 'node:child_process';
import { appendFileSync, chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { findProgram, missingMessage, testNeeds } from '../../scripts/test-services.ts';
import { type Finished, run } from '../support/process.ts';
import { giveAway, programOf, spawnUnprivileged } from './unprivileged.ts';

export interface Tickets {
  /** What programs find them by. */
  readonly env: { readonly KRB5_CONFIG: string; readonly KRB5CCNAME: string };
}

/**
 * A real Key Distribution Centre of MIT Kerberos on the loopback interface, without privileges, with everything of it in
 * a folder of its own.
 */
export class Kdc {
  readonly folder = mkdtempSync(join(tmpdir(), 'parley-kdc-'));
  /** Of whoever accepts tickets, in which they keep what must not come again. */
  readonly #replays = mkdtempSync(join(tmpdir(), 'parley-replays-'));
  readonly realm: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #caches = 0;

  private constructor(realm: string, port: number) {
    this.realm = realm;
    this.#port = port;
  }

  /** Starts one that knows nobody, which whoever starts it ends. */
  static async startLasting(realm = 'LOCALHOST'): Promise<Kdc> {
    for (let attempt = 1; ; attempt++) {
      const kdc = new Kdc(realm, await freePort());
      kdc.#configure();
      await kdc.#do('kdb5_util', ['create', '-s', '-P', 'the master password']);
      giveAway(kdc.folder);
      // Somebody else may take the port between the moment it is found free and the moment it is bound.
      if (await kdc.#run()) return kdc;
      await kdc.end();
      if (attempt === 5) throw new Error('krb5kdc does not start.');
    }
  }

  #configure(): void {
    const at = (name: string) => join(this.folder, name);
    const configuration = `[libdefaults]
 default_realm = ${this.realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 allow_rc4 = true
[realms]
${realmLines(this.realm, this.#port)}`;
    writeFileSync(at('krb5.conf'), configuration);
    writeFileSync(at('strict.conf'), configuration.replace('[realms]', ' clockskew = 1\n[realms]'));
    writeFileSync(
      at('kdc.conf'),
      `[realms]
 ${this.realm} = {
  kdc_listen = 127.0.0.1:${this.#port}
  kdc_tcp_listen = 127.0.0.1:${this.#port}
  database_name = ${at('principal')}
  key_stash_file = ${at('stash')}
  acl_file = ${at('acl')}
 }
`,
    );
  }

  get #env() {
    const at = (name: string) => join(this.folder, name);
    return { KRB5_CONFIG: at('krb5.conf'), KRB5_KDC_PROFILE: at('kdc.conf') };
  }

  /**
   * For a server that accepts tickets of this realm. With another `cache` it knows nothing of the replays of others; one
   * that is strict forgives clocks a second, and not five minutes.
   */
  serverEnv({ cache = this.#replays, strict = false } = {}) {
    return { KRB5_CONFIG: join(this.folder, strict ? 'strict.conf' : 'krb5.conf'), KRB5RCACHEDIR: cache };
  }

  #run(): Promise<boolean> {
    const child = spawnUnprivileged(programOf('Kerberos', 'krb5kdc'), ['-n', '-r', this.realm], {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    return new Promise((resolve) => {
      child.once('exit', () => resolve(false));
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (text) => {
          if (/commencing operation|starting/.test(String(text))) resolve(true);
        });
      }
    });
  }

  async #do(program: string, args: readonly string[], input?: string, env: object = {}): Promise<Finished> {
    const all = ['kdb5_util', 'kadmin.local'].includes(program) ? ['-r', this.realm, ...args] : args;
    const found = findProgram(program);
    if (found === undefined) throw new Error(missingMessage(KERBEROS, `${program} is not installed`));
    const finished = await run(found, all, {
      env: { ...this.#env, ...env },
      ...(input === undefined ? {} : { input }),
    });
    if (finished.code !== 0) throw new Error(`${program} ${args.join(' ')}: ${finished.stdout}${finished.stderr}`);
    return finished;
  }

  /** What an administrator says, a command each. */
  async administer(...commands: string[]): Promise<void> {
    for (const command of commands) {
      const { stderr } = await this.#do('kadmin.local', ['-q', command]);
      if (/^(?!No policy|WARNING).*(?:while|Unknown|Usage)/im.test(stderr)) throw new Error(`${command}: ${stderr}`);
    }
    giveAway(this.folder);
  }

  /** Makes people, whose passwords are `secret`. */
  async people(...names: string[]): Promise<void> {
    await this.administer(...names.map((name) => `addprinc -pw secret ${name}`));
  }

  /** Makes services and a keytab of their keys. */
  async keytab(...services: string[]): Promise<string> {
    const file = join(this.folder, `${services.join('-').replaceAll('/', '_')}.keytab`);
    await this.administer(...services.map((service) => `addprinc -randkey ${service}`));
    await this.newKeys(file, ...services);
    return file;
  }

  /** Gives services new keys, and adds those to a keytab. */
  async newKeys(file: string, ...services: string[]): Promise<void> {
    await this.administer(`ktadd -k ${file} ${services.join(' ')}`);
    chmodSync(file, 0o600);
  }

  /** Takes the tickets of another realm's people for its services (RFC 4120 §1.2), who know from now on where it is. */
  async trusts(other: Kdc): Promise<void> {
    const command = `addprinc -pw between-the-two krbtgt/${this.realm}@${other.realm}`;
    await Promise.all([this.administer(command), other.administer(command)]);
    appendFileSync(other.#env.KRB5_CONFIG, realmLines(this.realm, this.#port));
  }

  /** Where somebody's tickets will be, who has none yet. */
  noTickets(): Tickets {
    const KRB5CCNAME = `FILE:${join(this.folder, `tickets-${++this.#caches}`)}`;
    return { env: { KRB5_CONFIG: this.#env.KRB5_CONFIG, KRB5CCNAME } };
  }

  /** Somebody gets tickets by their password. `options` are those of kinit. */
  async login(name: string, options: readonly string[] = [], tickets = this.noTickets()): Promise<Tickets> {
    await this.#do('kinit', [...options, name], 'secret\n', tickets.env);
    return tickets;
  }

  async startAgain(): Promise<void> {
    if (!(await this.#run())) throw new Error('krb5kdc does not start again.');
  }

  /** It answers nobody any more. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGKILL');
    });
  }

  async end(): Promise<void> {
    await this.stop();
    for (const folder of [this.folder, this.#replays]) rmSync(folder, { recursive: true, force: true });
  }
}

const realmLines = (realm: string, port: number) => ` ${realm} = {\n  kdc = 127.0.0.1:${port}\n }\n`;

const KERBEROS = testNeeds.filter(({ name }) => name === 'Kerberos');
