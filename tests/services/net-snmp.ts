import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { standardMibs } from '../../scripts/test-services.ts';
import { type Finished, run } from '../support/process.ts';
import { programOf } from './unprivileged.ts';

export const MANAGER = { name: 'manager', password: 'a password of hers', privacyPassword: 'another password' };
/** One with the strongest that Net-SNMP has. */
export const STRONG_MANAGER = { ...MANAGER, name: 'strong', authentication: 'SHA-512', privacy: 'AES-256' };

/** What Net-SNMP is to say to prove who asks, and to encrypt it. */
const securityOf = (user: typeof MANAGER & { readonly authentication?: string; readonly privacy?: string }) => [
  ...['-v3', '-l', 'authPriv', '-u', user.name],
  ...['-a', user.authentication ?? 'SHA-256', '-A', user.password],
  ...['-x', user.privacy ?? 'AES', '-X', user.privacyPassword],
];

/** Net-SNMP's command line programs, as Debian has them. */
export class SnmpManager {
  readonly #folder = mkdtempSync(join(tmpdir(), 'parley-snmp-'));
  readonly #port: number;
  readonly #mibs: string[];

  readonly #security: readonly string[];

  /** `mib`: the text of a module to know; `user`: who asks. */
  constructor(port: number, mib = '', user = MANAGER) {
    this.#port = port;
    this.#security = securityOf(user);
    writeFileSync(join(this.#folder, 'XMPP-SERVER-MIB.txt'), mib);
    this.#mibs = mib === '' ? ['-m', ''] : ['-M', `${this.#folder}:${standardMibs()}`, '-m', 'XMPP-SERVER-MIB'];
  }

  #run(program: string, args: readonly string[]): Promise<Finished> {
    const env = { SNMP_PERSISTENT_DIR: this.#folder, SNMPCONFPATH: this.#folder };
    return run(programOf(program), [...this.#mibs, ...args], { env });
  }

  /** All below an object: names, or numbers where the module is not known, and values as they are. */
  async walk(object: string, program = 'snmpbulkwalk', ...options: string[]): Promise<Map<string, string>> {
    const { stdout, stderr, code } = await this.#run(program, [
      ...this.#security,
      '-OQeb',
      ...options,
      this.#agent,
      object,
    ]);
    if (code !== 0) throw new Error(stderr);
    return new Map(
      stdout
        .split('\n')
        .filter((line) => line.includes(' = '))
        .map((line) => {
          const [name = '', value = ''] = line.split(/ = (.*)/s);
          return [name.replace(/^XMPP-SERVER-MIB::/, ''), value.replace(/^"(.*)"$/s, '$1')];
        }),
    );
  }

  /** The value of one object. */
  async get(object: string): Promise<string> {
    const { stdout, stderr, code } = await this.#run('snmpget', [...this.#security, '-OQev', this.#agent, object]);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** With other words than the manager's. */
  ask(...args: readonly string[]): Promise<Finished> {
    return this.#run('snmpget', [...args, '-r', '0', '-t', '1', this.#agent, '1.3.6.1.2.1.1.1.0']);
  }

  get #agent(): string {
    return `127.0.0.1:${this.#port}`;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
