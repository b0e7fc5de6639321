import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { auditInto } from '../../../../tests/support/audit.ts';
import { Log } from '../log.ts';
import { Audit } from './audit.ts';
import type { AuditEntry } from './audit-entry.ts';
import { auditLine } from './audit-line.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function streamOf(perSecond = 100) {
  const entries: AuditEntry[] = [];
  const audit = auditInto((line) => void entries.push(JSON.parse(line)), perSecond);
  return { audit, entries };
}

describe('what the log is told', () => {
  it('is an entry, whatever the level of the log', () => {
    const { audit, entries } = streamOf();
    const log = Log.create({ level: 'silent', audit });
    log.debug('login.succeeded', { account: 'romeo@a', address: '192.0.2.1', mechanism: 'PLAIN' });
    log.info('session.bound', { jid: 'romeo@a/b' });
    log.with({ directory: 'corp' }).info('account.added', { account: 'juliet@a', by: 'alice (socket)' });
    expect(entries).toEqual([
      {
        time: new Date().toISOString(),
        process: process.pid,
        sequence: 1,
        node: 'here',
        event: 'login.succeeded',
        outcome: 'success',
        actor: 'romeo@a',
        address: '192.0.2.1',
        subject: '',
        reason: 'PLAIN',
      },
      expect.objectContaining({ sequence: 2, event: 'account.added', actor: 'alice (socket)', subject: 'juliet@a' }),
    ]);
    expect(audit.entries).toBe(2);
  });

  it('is left out where others can cause too much of it, and counted', () => {
    const { audit, entries } = streamOf(10);
    const log = Log.create({ level: 'silent', audit });
    for (let i = 0; i < 1000; i++) log.flood('login.failed', { account: `a${i}@a`, condition: 'not-authorized' });
    log.info('account.added', { account: 'b@a', by: 'command' });
    expect(entries.map(({ event }) => event)).toEqual([...new Array(10).fill('login.failed'), 'account.added']);
    vi.advanceTimersByTime(1000);
    expect(entries.at(-1)).toMatchObject({
      event: 'audit.omitted',
      subject: 'login.failed',
      reason: '990 entries were left out',
      sequence: 12,
    });
    for (let i = 0; i < 11; i++) log.flood('login.failed', {});
    audit.flush();
    expect(entries.slice(12).map(({ event, reason }) => `${event} ${reason}`.trim())).toEqual([
      ...new Array(10).fill('login.failed'),
      'audit.omitted 1 entries were left out',
    ]);
    vi.advanceTimersByTime(2000); // the log leaves lines out, too
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is counted for each limit by itself, so that one that is met all the time hides no other', () => {
    const { entries, audit } = streamOf(10);
    const log = Log.create({ level: 'silent', audit });
    for (let i = 0; i < 1000; i++) log.flood('limit.exceeded', { limit: 'strangers', account: 'mallory@a' });
    log.flood('limit.exceeded', { limit: 'registrations-per-address', address: '192.0.2.1' });
    log.flood('limit.exceeded', { limit: 'bytes-rate', account: 'mallory@a' }); // slows down, and refuses nothing
    log.flood('limit.exceeded', { limit: 'offline-bytes', from: 'eve@b', account: 'romeo@a' });
    expect(entries.slice(10)).toMatchObject([
      { event: 'limit.exceeded', outcome: 'failure', actor: '', address: '192.0.2.1' },
      { event: 'limit.exceeded', actor: 'eve@b', subject: 'romeo@a', reason: 'offline-bytes' },
    ]);
    audit.flush();
    expect(entries.slice(12).map(({ event, subject, reason }) => [event, subject, reason])).toEqual([
      ['audit.omitted', 'limit.exceeded strangers', '990 entries were left out'],
    ]);
  });

  it('is of other servers that could not be reached where we refused them', () => {
    const { entries, audit } = streamOf();
    const log = Log.create({ level: 'silent', audit });
    for (const step of ['dns', 'certificate', 'connection', 'policy']) {
      log.flood('s2s.failed', { local: 'a', remote: 'b', step, message: `it failed at ${step}` });
    }
    expect(entries.map(({ event, actor, subject, reason }) => [event, actor, subject, reason])).toEqual([
      ['s2s.failed', 'b', 'a', 'it failed at certificate'],
      ['s2s.failed', 'b', 'a', 'it failed at policy'],
    ]);
  });

  it('is never left out where administrators do it', () => {
    const { audit, entries } = streamOf(10);
    const log = Log.create({ level: 'silent', audit });
    for (let i = 0; i < 1000; i++) log.info('account.removed', { account: `a${i}@a`, by: 'command' });
    expect(entries).toHaveLength(1000);
  });
});

it('tells in the log that it cannot be written, and in itself what was lost', async () => {
  const lines: Record<string, unknown>[] = [];
  const written: AuditEntry[] = [];
  let full = true;
  const sink = {
    send(batch: readonly Buffer[], done: (error: Error | undefined, bytes: number) => void) {
      if (full) process.nextTick(done, new Error('ENOSPC: no space left on device'), 0);
      else {
        written.push(...batch.map((line) => JSON.parse(line.toString()) as AuditEntry));
        process.nextTick(done, undefined, Buffer.concat(batch).length);
      }
    },
    close() {},
  };
  const ways = [{ where: '/var/log/audit', sink, format: auditLine }];
  const audit = new Audit({ node: 'here', ways, perSecond: 100, maxWaitingBytes: 1000 });
  const log = Log.create({ output: { write: (line) => void lines.push(JSON.parse(line)) }, audit });
  audit.reportTo(log);
  for (let i = 0; i < 50; i++) log.info('account.added', { account: `a${i}@a`, by: 'command' });
  await vi.advanceTimersByTimeAsync(10_000);
  const troubles = () => lines.filter(({ event }) => String(event).startsWith('audit.'));
  expect(troubles()).toMatchObject([{ event: 'audit.away', level: 'error', where: '/var/log/audit' }]);
  expect(audit.dropped).toBeGreaterThan(40);
  expect(audit.waiting).toBe(50 - audit.dropped);
  full = false;
  await vi.advanceTimersByTimeAsync(10_000);
  const lost = audit.dropped;
  expect(troubles()[1]).toMatchObject({ event: 'audit.back', lost });
  expect(written.at(-1)).toMatchObject({ event: 'audit.lost', reason: `${lost} entries could not be written` });
  expect(audit.waiting).toBe(0);
});
