import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { onTestFinished, vi } from 'vitest';
import { DomainCertificates } from './domain-certificates.ts';
import { freeUdpPort } from './free-udp-port.ts';
import { giveAway, programOf, spawnUnprivileged } from './unprivileged.ts';

/** A message as rsyslogd has understood it. */
export interface SyslogMessage {
  readonly input: string;
  readonly facility: string;
  readonly severity: string;
  readonly host: string;
  readonly app: string;
  readonly msgid: string;
  /** Structured data as it came. */
  readonly data: string;
  readonly text: string;
}

/** Debian's rsyslogd, which listens in every way, and writes what it understands into a file. */
export class Rsyslogd {
  readonly ports: { readonly udp: number; readonly tcp: number; readonly tls: number };
  readonly #folder = mkdtempSync(join(tmpdir(), 'parley-rsyslog-'));
  #child: ChildProcess | undefined;

  private constructor(ports: Rsyslogd['ports']) {
    this.ports = ports;
    const certificates = DomainCertificates.make(join(this.#folder, 'tls'));
    const { certificate, key } = certificates.of('localhost');
    copyFileSync(certificates.authority, this.authority);
    const at = (port: number) => `address="127.0.0.1" port="${port}"`;
    const properties = [
      ['input', 'inputname'],
      ['facility', 'syslogfacility-text'],
      ['severity', 'syslogseverity-text'],
      ['host', 'hostname'],
      ['app', 'app-name'],
      ['msgid', 'msgid'],
      ['data', 'structured-data'],
      ['text', 'msg'],
    ].map(([out, name]) => `property(outname="${out}" name="${name}" format="jsonf")`);
    const lines = [
      `global(workDirectory="${this.#folder}" net.enableDNS="off" defaultNetstreamDriverCAFile="${this.authority}"`,
      `  defaultNetstreamDriverCertFile="${certificate}" defaultNetstreamDriverKeyFile="${key}")`,
      'module(load="imudp")',
      'module(load="imptcp")',
      'module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")',
      'module(load="imuxsock" SysSock.Use="off")',
      `template(name="all" type="list" option.jsonf="on") { ${properties.join('\n')} }`,
      `input(type="imudp" ${at(ports.udp)})`,
      `input(type="imptcp" ${at(ports.tcp)})`,
      `input(type="imtcp" ${at(ports.tls)})`,
      `input(type="imuxsock" Socket="${this.socket}")`,
      `action(type="omfile" file="${this.#file}" template="all")`,
    ];
    writeFileSync(join(this.#folder, 'rsyslog.conf'), `${lines.join('\n')}\n`);
    giveAway(this.#folder);
  }

  static async start(): Promise<Rsyslogd> {
    const daemon = new Rsyslogd({ udp: await freeUdpPort(), tcp: await freePort(), tls: await freePort() });
    onTestFinished(async () => {
      await daemon.stop();
      rmSync(daemon.#folder, { recursive: true, force: true });
    });
    await daemon.start();
    return daemon;
  }

  /** Those who vouch for it. */
  get authority(): string {
    return join(this.#folder, 'authority.crt');
  }

  /** What stands for /dev/log. */
  get socket(): string {
    return join(this.#folder, 'log');
  }

  get #file(): string {
    return join(this.#folder, 'messages');
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const words = ['-n', '-f', join(this.#folder, 'rsyslog.conf'), '-i', join(this.#folder, 'pid')];
    const child = spawnUnprivileged(programOf('rsyslogd'), words, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    await vi.waitFor(() => {
      if (child.exitCode !== null) throw new Error(`rsyslogd ended: ${said}`);
      const ports = [this.ports.tcp, this.ports.tls].every((port) => listens(port));
      if (!ports || !existsSync(this.socket)) throw new Error(`rsyslogd does not listen: ${said}`);
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const gone = once(child, 'close');
    child.kill();
    await gone;
  }

  /** What it has written by now. */
  get messages(): SyslogMessage[] {
    if (!existsSync(this.#file)) return [];
    return readFileSync(this.#file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as SyslogMessage);
  }
}

/** By what the system tells, since a connection would be one more that it has to do with. */
const listens = (port: number): boolean =>
  new RegExp(`0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`).test(
    readFileSync('/proc/net/tcp', 'utf8'),
  );
