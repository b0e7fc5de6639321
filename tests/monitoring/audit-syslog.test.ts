import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openAudit } from '@parley/server/audit/open-audit';
import { defaultConfiguration } from '@parley/server/config/schema';
import { Log } from '@parley/server/log';
import { logEvents } from '@parley/server/log-events/catalogue';
import type { LogEvent } from '@parley/server/log-events/log-event';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Rsyslogd, type SyslogMessage } from '../services/rsyslogd.ts';
import { entriesOf } from '../support/audit.ts';

const HOSTILE = 'rom"eo]\\\r\n<86>1 forged\u0000é';

/** An audit stream to this daemon, and the log that tells it. */
function streamTo(syslog: object, file?: string) {
  const config = structuredClone(defaultConfiguration());
  if (file !== undefined) config.audit.file = file;
  Object.assign(config.audit.syslog, syslog);
  config.snmp.baseOid = '1.3.6.1.4.1.99999.5';
  const lines: Record<string, unknown>[] = [];
  const audit = openAudit(config);
  if (audit === undefined) throw new Error('It is off.');
  const log = Log.create({ output: { write: (line) => void lines.push(JSON.parse(line)) }, audit });
  audit.reportTo(log);
  onTestFinished(() => audit.close());
  return { audit, log, told: (event: string) => lines.filter((line) => line.event === event) };
}

type Tell = (event: string, fields: object) => void;

/** Each event that the audit stream tells, with something in all its fields. */
function everyAudited(): (readonly [name: string, level: 'info' | 'flood', fields: object])[] {
  return Object.entries<LogEvent>(logEvents).flatMap(([name, { fields, levels, audited }]) => {
    if (audited === undefined) return [];
    const values = Object.fromEntries(fields.map((field) => [field, `some ${field}`]));
    const { when } = audited;
    if (when !== undefined) values[when.field] = when.is[0] ?? '';
    return [[name, levels.includes('flood') ? 'flood' : 'info', values] as const];
  });
}

const messagesOf = async (daemon: Rsyslogd, count: number): Promise<SyslogMessage[]> => {
  await vi.waitFor(() => expect(daemon.messages).toHaveLength(count));
  return daemon.messages;
};

const actorsOf = (messages: readonly SyslogMessage[]) => messages.map(({ data }) => /actor="([^"]*)"/.exec(data)?.[1]);

describe('rsyslogd', () => {
  it.each([
    ['udp', 'imudp'],
    ['tcp', 'imptcp'],
    ['tls', 'imtcp'],
  ] as const)('understands what comes by %s', async (transport, input) => {
    const daemon = await Rsyslogd.start();
    const { log } = streamTo({
      transport,
      host: transport === 'tls' ? 'localhost' : '127.0.0.1',
      port: daemon.ports[transport],
      ...(transport === 'tls' && { authorities: daemon.authority }),
    });
    log.info('account.added', { account: 'juliet@localhost', by: 'alice (socket)' });
    log.flood('login.failed', { account: HOSTILE, address: '192.0.2.1', condition: 'not-authorized' });
    log.info('account.removed', { account: 'juliet@localhost', by: 'alice (socket)' });
    const messages = await messagesOf(daemon, 3);
    expect(messages.map(({ msgid }) => msgid)).toEqual(['account.added', 'login.failed', 'account.removed']);
    expect(messages[0]).toMatchObject({ input, facility: 'authpriv', severity: 'info', app: 'parley' });
    expect(messages[0]?.data).toContain('[parley@99999 event="account.added" ');
    expect(messages[0]?.data).toContain('subject="juliet@localhost"');
    expect(messages[1]).toMatchObject({ severity: 'warning' });
    expect(messages[1]?.data).toContain(
      'actor="rom\\"eo\\]\\\\u005c\\\\u000d\\\\u000a<86>1 forged\\\\u0000\\\\u00e9" address="192.0.2.1"',
    );
    expect(messages.map(({ data }) => /sequenceId="(\d+)"/.exec(data)?.[1])).toEqual(['1', '2', '3']);
  });

  it('gets every event that the audit stream tells, as the file does', async () => {
    const daemon = await Rsyslogd.start();
    const file = join(mkdtempSync(join(tmpdir(), 'parley-audit-')), 'audit.log');
    onTestFinished(() => rmSync(dirname(file), { recursive: true }));
    const { audit, log } = streamTo({ transport: 'tcp', host: '127.0.0.1', port: daemon.ports.tcp }, file);
    const told = everyAudited();
    for (const [name, level, fields] of told) (log[level] as Tell).call(log, name, fields);
    const names = told.map(([name]) => name);
    const messages = await messagesOf(daemon, told.length);
    expect(messages.map(({ data }) => /event="([^"]*)"/.exec(data)?.[1])).toEqual(names);
    const entries = await vi.waitFor(() => {
      expect(audit.waiting).toBe(0);
      return entriesOf(readFileSync(file, 'utf8'));
    });
    expect(entries.map(({ event }) => event)).toEqual(names);
    for (const [at, entry] of entries.entries()) {
      const { severity, data = '', msgid } = messages[at] ?? {};
      expect(msgid).toBe(entry.event.slice(0, 32));
      expect(severity).toBe(entry.outcome === 'success' ? 'info' : 'warning');
      for (const name of ['actor', 'address', 'subject', 'reason'] as const) {
        expect(data, entry.event).toContain(` ${name}="${entry[name]}"`);
      }
      const { actor, subject, reason } = (logEvents as Record<string, LogEvent>)[entry.event]?.audited ?? {};
      expect([entry.actor !== '', entry.subject !== '', entry.reason !== ''], entry.event).toEqual([
        actor !== undefined,
        subject !== undefined,
        reason !== undefined,
      ]);
    }
  });

  it('gets it as the daemon of the machine', async () => {
    const daemon = await Rsyslogd.start();
    const { log } = streamTo({ transport: 'socket', socket: daemon.socket });
    log.flood('login.failed', { account: HOSTILE, address: '192.0.2.1', condition: 'not-authorized' });
    log.info('account.added', { account: 'juliet@localhost', by: 'alice (socket)' });
    const messages = await messagesOf(daemon, 2);
    expect(messages[0]).toMatchObject({ input: 'imuxsock', facility: 'authpriv', severity: 'warning', app: 'parley' });
    expect(messages[0]?.text).toMatch(/^ ?login\.failed \[parley@99999 event="login\.failed" .*forged.*\]$/);
    expect(messages[1]).toMatchObject({ severity: 'info' });
    expect(messages[1]?.text).toContain('subject="juliet@localhost"');
  });

  it.each(['tcp', 'socket'] as const)(
    'gets by %s what it missed while it was away, and the log tells',
    async (transport) => {
      const daemon = await Rsyslogd.start();
      const { socket, ports } = daemon;
      const to = transport === 'tcp' ? { host: '127.0.0.1', port: ports.tcp } : { socket };
      const { audit, log, told } = streamTo({ transport, ...to });
      log.info('account.added', { account: 'a@localhost', by: 'first' });
      await messagesOf(daemon, 1);
      await daemon.stop();
      // the first to be sent finds out, and what the system has taken then may be lost
      await vi.waitFor(() => {
        log.info('account.enabled', { account: 'a@localhost', by: 'meanwhile' });
        expect(told('audit.away')).toHaveLength(1);
      });
      for (let i = 0; i < 10; i++) log.info('account.removed', { account: 'a@localhost', by: `${i}` });
      expect(audit.waiting).toBeGreaterThan(9);
      await daemon.start();
      audit.reopen(); // as SIGHUP does, instead of the next try
      await vi.waitFor(() => {
        expect(told('audit.back')).toHaveLength(1);
        const removals = actorsOf(
          daemon.messages.filter((each) => `${each.msgid}${each.text}`.includes('account.removed')),
        );
        expect(transport === 'tcp' ? removals : removals.length).toEqual(
          transport === 'tcp' ? Array.from({ length: 10 }, (_, i) => `${i}`) : 10,
        );
      });
    },
  );

  it('is not spoken to where nobody vouches for it', async () => {
    const daemon = await Rsyslogd.start();
    const { log, told, audit } = streamTo({ transport: 'tls', host: 'localhost', port: daemon.ports.tls });
    log.info('account.added', { account: 'a@localhost', by: 'somebody' });
    await vi.waitFor(() => expect(told('audit.away')).toHaveLength(1));
    expect(JSON.stringify(told('audit.away'))).toMatch(/certificate/i);
    expect([daemon.messages, audit.waiting]).toEqual([[], 1]);
  });
});
