import { describe, expect, it } from 'vitest';
import { type AuditEntry, actOf } from './audit-entry.ts';
import { auditLine } from './audit-line.ts';
import { localMessage, octetCounted, syslogMessage } from './syslog-message.ts';

const HOSTILE = 'a"]\\\r\n<86>1 forged [x y="z"] \u0000\u001b[2J\u0085\u2028\u202eé😀 \\u000a';

const entry = (values: Partial<AuditEntry> = {}): AuditEntry => ({
  time: '2026-11-26T18:00:00.000Z',
  process: 4711,
  sequence: 7,
  node: 'one',
  event: 'login.failed',
  outcome: 'failure',
  actor: 'romeo@montague.lit',
  address: '192.0.2.1',
  subject: '',
  reason: 'not-authorized',
  ...values,
});
const settings = { facility: 'authpriv', hostname: 'host.example', enterprise: '32473' } as const;

describe('an act', () => {
  it('is made of the fields that the event is declared with', () => {
    const fields = { address: '192.0.2.1', mechanism: 'PLAIN', condition: 'not-authorized', account: 'romeo@a' };
    expect(actOf('login.failed', fields)).toEqual({
      event: 'login.failed',
      outcome: 'failure',
      actor: 'romeo@a',
      address: '192.0.2.1',
      subject: '',
      reason: 'not-authorized',
    });
    expect(actOf('configuration.refused', { by: 'SIGHUP', error: new Error('no') })).toMatchObject({ reason: 'no' });
    expect(actOf('configuration.reloaded', { by: 'SIGHUP', live: ['a', 'b'] })).toMatchObject({ reason: 'a, b' });
  });

  it('is none where the audit stream does not tell the event', () => {
    expect(actOf('session.bound', { jid: 'romeo@a/b' })).toBeUndefined();
    expect(actOf('no.such-event', {})).toBeUndefined();
  });

  it('has no text without end', () => {
    const act = actOf('login.failed', { account: 'x'.repeat(100_000) });
    expect(act?.actor).toBe(`${'x'.repeat(256)}...`);
  });
});

describe('a line of a file', () => {
  it('is JSON in ASCII, whatever it tells', () => {
    const line = auditLine(entry({ actor: HOSTILE, reason: HOSTILE })).toString('latin1');
    expect(line).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(line)).toEqual(entry({ actor: HOSTILE, reason: HOSTILE }));
  });
});

describe('a message of syslog', () => {
  it('is as RFC 5424 wants it', () => {
    expect(syslogMessage(entry(), settings)).toBe(
      `<84>1 2026-11-26T18:00:00.000Z host.example parley 4711 login.failed ` +
        '[parley@32473 event="login.failed" node="one" outcome="failure" actor="romeo@montague.lit" address="192.0.2.1" ' +
        'subject="" reason="not-authorized"][meta sequenceId="7"] ' +
        'login.failed: failure, by romeo@montague.lit, from 192.0.2.1, not-authorized',
    );
    const done = syslogMessage(entry({ outcome: 'success' }), { ...settings, facility: 'local7' });
    expect(done).toMatch(/^<190>1 /);
  });

  it('cannot be forged: what is no printable ASCII, and the backslash, are escaped', () => {
    const message = syslogMessage(entry({ actor: HOSTILE, subject: HOSTILE, node: HOSTILE }), settings);
    expect(message).toMatch(/^[\x20-\x7e]+$/);
    // RFC 5424 §6.3.3: the value ends at the first quote that has no backslash in front
    const value = /actor="((?:[^"\\\]]|\\["\\\]])*)" address="192/.exec(message)?.[1] ?? '';
    const text = value.replace(/\\(["\\\]])/g, '$1');
    expect(text.replace(/\\u([0-9a-f]{4})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))).toBe(
      HOSTILE,
    );
  });

  it('numbers itself as RFC 5424 §7.3.1 wants it', () => {
    const id = (sequence: number) => /sequenceId="(\d+)"/.exec(syslogMessage(entry({ sequence }), settings))?.[1];
    expect([id(1), id(2_147_483_647), id(2_147_483_648)]).toEqual(['1', '2147483647', '1']);
  });

  it('stays below what every receiver takes, and has names that are allowed', () => {
    const long = 'é'.repeat(10_000);
    const act = actOf('administration.refused', { by: long, subject: long, reason: long });
    expect(syslogMessage(entry(act), { ...settings, hostname: 'no name here' }).length).toBeLessThan(8192);
    expect(syslogMessage(entry(), { ...settings, hostname: 'no name here' })).toContain('Z no_name_here parley ');
    expect(syslogMessage(entry(), { ...settings, hostname: '' })).toContain('Z - parley ');
  });

  it('says how long it is where the connection goes on behind it', () => {
    expect(octetCounted('abc').toString()).toBe('3 abc');
  });

  it('has the old form for the daemon of the machine', () => {
    expect(localMessage(entry(), settings)).toMatch(/^<84>login\.failed \[parley@32473 event="login\.failed".*\]$/);
  });
});
