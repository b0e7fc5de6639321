import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { onTestFinished } from 'vitest';
import { findProgram, missingMessage, testNeeds } from '../../scripts/test-services.ts';
import { makeCertificates } from './certificates.ts';
import { giveAway, spawnUnprivileged } from './unprivileged.ts';

const TEMPLATE = '/usr/share/dirsrv/data/template-dse.ldif';
const SUFFIX = 'dc=example,dc=org';
const READY_MS = 120_000;
const PLUGINS = ['Content Synchronization', 'Retro Changelog Plugin'];

const DATABASE = `dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userRoot
nsslapd-suffix: ${SUFFIX}

dn: cn="${SUFFIX}",cn=mapping tree,cn=config
objectClass: extensibleObject
objectClass: nsMappingTree
cn: ${SUFFIX}
nsslapd-state: backend
nsslapd-backend: userRoot

dn: ${SUFFIX}
objectClass: domain
dc: example

dn: ou=people,${SUFFIX}
objectClass: organizationalUnit
ou: people

`;

/** A real 389 Directory Server on the loopback interface, made by hand: its own tools want systemd. */
export class Directory389 {
  static readonly people = `ou=people,${SUFFIX}`;
  /** Who may do everything. */
  static readonly manager = { dn: 'cn=Directory Manager', password: 'manager-secret' };
  readonly #folder: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #said = '';

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  /** It as a directory named corp in the configuration of a server. */
  configured(more: object = {}): object {
    const { people, manager } = Directory389;
    const servers = { servers: [this.url], startTls: false, allowUnencrypted: true, bind: manager };
    return { name: 'corp', type: '389ds', ...servers, people: { base: people }, ...more };
  }

  /**
   * Ends with the test. With `plugins: false` it has persistent search, and no content synchronisation; with `tls` it has
   * StartTLS.
   */
  static async start({ plugins = true, tls = false } = {}): Promise<Directory389> {
    const directory = new Directory389(mkdtempSync(join(tmpdir(), 'parley-389-')), await freePort());
    onTestFinished(() => directory.end());
    directory.#prepare(plugins, tls ? await freePort() : undefined);
    await directory.#run();
    await directory.change(DATABASE);
    return directory;
  }

  get url(): string {
    return `ldap://localhost:${this.#port}`;
  }

  /** The file of the authority that vouches for its certificate. */
  get authorities(): string {
    return join(this.#folder, 'certificates', 'authority.crt');
  }

  static dn(uid: string): string {
    return `uid=${uid},${Directory389.people}`;
  }

  async addPerson(uid: string): Promise<void> {
    const own = `uid: ${uid}\ncn: ${uid}\nsn: Capulet\nmail: ${uid}@localhost\nuserPassword: pw-${uid}\n`;
    await this.change(`dn: ${Directory389.dn(uid)}\nobjectClass: inetOrgPerson\n${own}\n`);
  }

  /** Changes entries as the one who may do everything. Takes LDIF; entries without a `changetype` are added. */
  async change(ldif: string): Promise<void> {
    const { code, said } = await this.#ldap('ldapmodify', ['-a'], ldif);
    if (code !== 0) throw new Error(`ldapmodify failed (${code}):\n${said}`);
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #prepare(plugins: boolean, tlsPort: number | undefined): void {
    const folder = (...names: string[]) => join(this.#folder, ...names);
    for (const name of ['config/schema', 'db', 'ldif', 'bak', 'log', 'lock', 'run']) {
      mkdirSync(folder(name), { recursive: true });
    }
    for (const name of ['config/slapd-collations.conf', 'config/certmap.conf']) {
      copyFileSync(`/etc/dirsrv/${name}`, folder(name));
    }
    copyFileSync('/etc/dirsrv/schema/99user.ldif', folder('config/schema/99user.ldif'));
    const values = new Map(Object.entries(this.#values(folder)));
    let text = readFileSync(TEMPLATE, 'utf8').replace(/%([a-z_]+)%/g, (_, name) => values.get(name) ?? '');
    for (const name of plugins ? PLUGINS : []) {
      const [head = '', rest = ''] = text.split(`\ncn: ${name}\n`);
      text = `${head}\ncn: ${name}\n${rest.replace(/pluginenabled: off/i, 'pluginEnabled: on')}`;
    }
    if (tlsPort !== undefined) {
      this.#makeKeys();
      text = text.replace(/^(dn: cn=config)$/m, `$1\nnsslapd-security: on\nnsslapd-securePort: ${tlsPort}`);
    }
    writeFileSync(folder('config/dse.ldif'), text);
    giveAway(this.#folder);
  }

  /** Its key and certificate lie in a database of NSS. */
  #makeKeys(): void {
    const certificates = makeCertificates(join(this.#folder, 'certificates'));
    const database = ['-d', `sql:${join(this.#folder, 'config')}`];
    const bundle = join(this.#folder, 'server.p12');
    const files = ['-in', certificates.certificate('good'), '-inkey', certificates.key('good'), '-out', bundle];
    const run = (name: string, ...words: string[]) => execFileSync(program(name), words, { stdio: 'pipe' });
    run('openssl', 'pkcs12', '-export', ...files, '-name', 'Server-Cert', '-passout', 'pass:');
    run('certutil', '-N', ...database, '--empty-password');
    run('pk12util', '-i', bundle, ...database, '-W', '');
    run('certutil', '-A', ...database, '-n', 'authority', '-t', 'CT,,', '-a', '-i', certificates.authority);
  }

  #values(folder: (...names: string[]) => string): Record<string, string> {
    const salt = 'salt and pepper';
    const digest = createHash('sha1').update(Directory389.manager.password).update(salt).digest();
    const hash = `{SSHA}${Buffer.concat([digest, Buffer.from(salt)]).toString('base64')}`;
    return {
      schema_dir: folder('config/schema'),
      lock_dir: folder('lock'),
      tmp_dir: this.#folder,
      cert_dir: folder('config'),
      config_dir: folder('config'),
      ldif_dir: folder('ldif'),
      bak_dir: folder('bak'),
      run_dir: folder('run'),
      inst_dir: this.#folder,
      log_dir: folder('log'),
      db_dir: folder('db'),
      db_home_dir: folder('db'),
      db_lib: 'bdb',
      fqdn: 'localhost',
      ds_port: String(this.#port),
      ds_user: process.getuid?.() === 0 ? 'nobody' : userInfo().username,
      ds_suffix: SUFFIX,
      rootdn: Directory389.manager.dn,
      ds_passwd: `${hash}\nnsslapd-rootpwstoragescheme: SSHA`,
      ldapi_enabled: 'off',
      ldapi: folder('run', 'ldapi'),
      ldapi_autobind: 'off',
    };
  }

  async #run(): Promise<void> {
    const words = ['-D', join(this.#folder, 'config'), '-i', join(this.#folder, 'run', 'pid'), '-d', '0'];
    const child = spawnUnprivileged(program('ns-slapd'), words, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    child.stderr?.on('data', (chunk) => {
      this.#said = (this.#said + chunk).slice(-10_000);
    });
    const until = performance.now() + READY_MS;
    while ((await this.#ldap('ldapsearch', ['-b', '', '-s', 'base', '1.1'], '')).code !== 0) {
      if (child.exitCode !== null || performance.now() > until) throw new Error(`It does not start:\n${this.#said}`);
      await pause(50);
    }
  }

  async #ldap(name: string, words: string[], input: string): Promise<{ code: number | null; said: string }> {
    const { dn, password } = Directory389.manager;
    const who = ['-x', '-H', `ldap://127.0.0.1:${this.#port}`, '-D', dn, '-w', password];
    const child = spawn(program(name), [...who, ...words], { stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.stdin.on('error', () => {}); // it ends before it has read everything: its code tells
    child.stdin.end(input);
    const [code] = await once(child, 'close');
    return { code, said };
  }
}

function program(name: string): string {
  const found = findProgram(name);
  if (found !== undefined) return found;
  const needs = testNeeds.filter((need) => /389|slapd|certutil|openssl/.test(need.name));
  throw new Error(missingMessage(needs, `${name} is not installed`));
}
