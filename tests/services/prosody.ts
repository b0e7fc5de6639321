import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, giveAway, programOf, spawnUnprivileged } from './unprivileged.ts';
import type { XmppPeer, XmppPeerOptions } from './xmpp-peer.ts';

/** What it says of ports that are open. */
const OPENED = ['c2s', 's2s', 's2s_direct_tls'].map((name) => `Activated service '${name}'`);

/** Debian's Prosody on loopback, in a process of its own that has no privileges. */
export class Prosody implements XmppPeer {
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
  static async startLasting(options: XmppPeerOptions): Promise<Prosody> {
    const prosody = new Prosody(mkdtempSync(join(tmpdir(), 'parley-prosody-')), options);
    mkdirSync(join(prosody.#folder, 'data'));
    // Somebody else may take a port between the moment it is found free and the moment it is bound.
    for (let attempt = 1; ; attempt++) {
      prosody.#ports = [await freePort(), await freePort(), await freePort()];
      if (await prosody.#run()) break;
      await prosody.kill();
      if (attempt === 5) throw new Error(`Prosody does not start:\n${prosody.#said}`);
    }
    options.dns.serve(options.domain, prosody.serverPorts.starttls);
    return prosody;
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
    if (!(await this.#run())) throw new Error(`Prosody does not start again:\n${this.#said}`);
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Resolves when it listens; false where it cannot, or ended instead. */
  async #run(): Promise<boolean> {
    const { certificate, authority } = this.#options;
    copyFileSync(certificate.certificate, join(this.#folder, 'own.crt'));
    copyFileSync(certificate.key, join(this.#folder, 'own.key'));
    copyFileSync(authority, join(this.#folder, 'authority.crt'));
    writeFileSync(join(this.#folder, 'prosody.cfg.lua'), this.#configuration());
    giveAway(this.#folder);
    const words = ['-F', '--config', join(this.#folder, 'prosody.cfg.lua')];
    const child = spawnUnprivileged(programOf('prosody'), words, {
      cwd: this.#folder,
      env: { PATH: process.env.PATH, HOME: this.#folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#said = '';
    process.once('exit', this.#onExit);
    return await new Promise((resolve, reject) => {
      for (const output of [child.stdout, child.stderr]) {
        output?.on('data', (chunk) => {
          this.#said = (this.#said + chunk).slice(-40_000); // heard to the end: a full pipe would stop it
          if (/address already in use/i.test(this.#said)) resolve(false);
          if (OPENED.every((words) => this.#said.includes(words))) resolve(true);
        });
      }
      child.once('error', reject);
      child.once('close', () => resolve(false));
    });
  }

  readonly #onExit = () => void this.#child?.kill('SIGKILL');

  #configuration(): string {
    const { domain, dns, secure } = this.#options;
    const [c2s, s2s, direct] = this.#ports;
    return `
      pidfile = "${this.#folder}/prosody.pid"
      data_path = "${this.#folder}/data"
      plugin_paths = { }
      modules_enabled = {
        "disco"; "roster"; "saslauth"; "tls"; "dialback"; "blocklist"; "carbons"; "pep"; "vcard4"; "vcard_legacy";
        "smacks"; "version"; "time"; "ping"; "register_ibr";
      }
      allow_registration = true
      min_seconds_between_registrations = 0
      authentication = "internal_plain"
      allow_unencrypted_plain_auth = true
      c2s_require_encryption = false
      s2s_require_encryption = true
      s2s_secure_auth = ${secure}
      interfaces = { "127.0.0.1" }
      local_interfaces = { "127.0.0.1" }
      c2s_ports = { ${c2s} }
      s2s_ports = { ${s2s} }
      s2s_direct_tls_ports = { ${direct} }
      http_ports = { }
      https_ports = { }
      unbound = {
        resolvconf = false; hoststxt = false; forward = "127.0.0.1@${dns.port}";
        options = { ["do-not-query-localhost:"] = "no"; ["cache-max-ttl:"] = "0"; ["cache-max-negative-ttl:"] = "0" };
      }
      log = { { levels = { min = "debug" }; to = "console"; } }
      ssl = { key = "${this.#folder}/own.key"; certificate = "${this.#folder}/own.crt"; cafile = "${this.#folder}/authority.crt" }
      VirtualHost "${domain}"
    `;
  }
}
