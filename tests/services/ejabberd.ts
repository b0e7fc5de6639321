import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, giveAway, programOf, spawnUnprivileged } from './unprivileged.ts';
import type { XmppPeer, XmppPeerOptions } from './xmpp-peer.ts';

/** Debian's ejabberd on loopback, in a process of its own that has no privileges and belongs to no cluster. */
export class Ejabberd implements XmppPeer {
  readonly domain: string;
  readonly #folder: string;
  readonly #options: XmppPeerOptions;
  #ports: [number, number, number] = [0, 0, 0];
  #child: ChildProcess | undefined;
  #said = '';

  private constructor(folder: string, options: XmppPeerOptions) {
    this.domain = options.domain;
    this.#folder = folder;
    this.#options = options;
  }

  /** Starts one that is ready, which whoever starts it ends. */
  static async startLasting(options: XmppPeerOptions): Promise<Ejabberd> {
    const ejabberd = new Ejabberd(mkdtempSync(join(tmpdir(), 'parley-ejabberd-')), options);
    // Somebody else may take a port between the moment it is found free and the moment it is bound.
    for (let attempt = 1; ; attempt++) {
      ejabberd.#ports = [await freePort(), await freePort(), await freePort()];
      if (await ejabberd.#run()) break;
      await ejabberd.kill();
      if (attempt === 5) throw new Error(`ejabberd does not start:\n${ejabberd.#said}`);
    }
    options.dns.serve(options.domain, ejabberd.serverPorts.starttls);
    return ejabberd;
  }

  get port(): number {
    return this.#ports[0];
  }

  get serverPorts(): XmppPeer['serverPorts'] {
    return { starttls: this.#ports[1], direct: this.#ports[2] };
  }

  get said(): string {
    return this.#said;
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
    if (!(await this.#run())) throw new Error(`ejabberd does not start again:\n${this.#said}`);
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Resolves when it listens; false where it cannot, or ended instead. */
  async #run(): Promise<boolean> {
    const { certificate, authority, dns } = this.#options;
    const file = (name: string) => join(this.#folder, name);
    for (const name of ['spool', 'log']) mkdirSync(file(name), { recursive: true });
    writeFileSync(
      file('own.pem'),
      readFileSync(certificate.certificate, 'utf8') + readFileSync(certificate.key, 'utf8'),
    );
    writeFileSync(file('authority.crt'), readFileSync(authority));
    writeFileSync(file('ejabberd.yml'), this.#configuration());
    // Erlang's own resolver, and no other than that of the tests, which has to be named last
    const resolver = ['{lookup,[file,dns]}', '{resolv_conf,""}', '{hosts_file,""}', '{cache_size,0}'];
    resolver.push(`{host,{127,0,0,1},["localhost"]}`, `{nameserver,{127,0,0,1},${dns.port}}`);
    writeFileSync(file('inetrc'), resolver.map((term) => `${term}.\n`).join(''));
    giveAway(this.#folder);
    const words = ['-noinput', '-mnesia', 'dir', `"${file('spool')}"`, '-s', 'ejabberd'];
    const child = spawnUnprivileged(programOf('ejabberd', 'erl'), words, {
      cwd: this.#folder,
      env: {
        PATH: process.env.PATH,
        HOME: this.#folder,
        ERL_LIBS: '/usr/lib/x86_64-linux-gnu',
        ERL_INETRC: file('inetrc'),
        ERL_CRASH_DUMP: '/dev/null',
        EJABBERD_CONFIG_PATH: file('ejabberd.yml'),
        EJABBERD_LOG_PATH: file('log/ejabberd.log'),
        LC_ALL: 'C.UTF-8',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#said = '';
    process.once('exit', this.#onExit);
    return await new Promise((resolve, reject) => {
      for (const output of [child.stdout, child.stderr]) {
        output?.on('data', (chunk) => {
          this.#said = (this.#said + chunk).slice(-40_000); // heard to the end: a full pipe would stop it
          if (/eaddrinuse|Failed to open socket/.test(this.#said)) resolve(false);
          if (this.#ports.every((port) => this.#said.includes(`127.0.0.1:${port} for`))) resolve(true);
        });
      }
      child.once('error', reject);
      child.once('close', () => resolve(false));
    });
  }

  readonly #onExit = () => void this.#child?.kill('SIGKILL');

  #configuration(): string {
    const { domain, secure } = this.#options;
    const [c2s, s2s, direct] = this.#ports;
    return `
hosts: ["${domain}"]
loglevel: 4
certfiles: ["${this.#folder}/own.pem"]
ca_file: "${this.#folder}/authority.crt"
s2s_use_starttls: ${secure ? 'required' : 'optional'}
s2s_cafile: "${this.#folder}/authority.crt"
s2s_dns_timeout: 5
s2s_max_retry_delay: 1
listen:
  - {port: ${c2s}, ip: "127.0.0.1", module: ejabberd_c2s, access: c2s, starttls_required: false}
  - {port: ${s2s}, ip: "127.0.0.1", module: ejabberd_s2s_in}
  - {port: ${direct}, ip: "127.0.0.1", module: ejabberd_s2s_in, tls: true}
auth_method: internal
auth_password_format: plain
registration_timeout: infinity
acl: {local: {user_regexp: ""}}
access_rules:
  local: {allow: local}
  c2s: {allow: all}
  register: {allow: all}
modules:
  mod_disco: {}
  mod_roster: {}
  mod_blocking: {}
  mod_privacy: {}
  mod_ping: {}
  mod_register: {ip_access: all, access: register, password_strength: 0}
  mod_s2s_dialback: {}
  mod_vcard: {}
  mod_version: {}
`;
  }
}
