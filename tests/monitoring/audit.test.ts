import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { AuditEntry } from '@parley/server/audit/audit-entry';
import { describe, expect, it, vi } from 'vitest';
import { SmallDisk } from '../faults/small-disk.ts';
import { entriesOf } from '../support/audit.ts';
import { plain } from '../support/login.ts';
import { encrypted, logIn } from '../support/network.ts';
import { Installation, type RunningParley } from '../support/process.ts';

const ME = process.env.SUDO_USER || userInfo().username;

const shown = ({ event, outcome, actor, subject, reason }: AuditEntry) =>
  [event, outcome, actor, subject, reason].map((each) => each || '-').join(' | ');

async function fail(node: RunningParley, account: string): Promise<void> {
  const client = await encrypted(node.port('c2s'));
  await plain(client, account, 'wrong');
  client.break();
}

const metric = async (node: RunningParley, name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${node.port('http')}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
};

describe('the audit file', () => {
  it('tells who did what, whichever way they came, and is for nobody else’s eyes', async () => {
    const installation = new Installation({ limits: { logins: { delaySeconds: 0 } } });
    const said = async (args: readonly string[], input?: string) => (await installation.parley(args, input)).code;
    expect(await said(['account', 'add', 'romeo@localhost'], 'secret\n')).toBe(0);
    expect(await said(['account', 'add', 'romeo@localhost'], 'secret\n')).not.toBe(0);
    const node = await installation.start();
    const romeo = await logIn(node.port('c2s'), 'romeo@localhost/orchard');
    await fail(node, 'romeo');
    await fail(node, 'nobody');
    expect(await said(['account', 'add', 'juliet@localhost'], 'secret\n')).toBe(0);
    expect(await said(['account', 'move', 'juliet@localhost', 'capulet@localhost'])).toBe(0);
    const account = '/api/accounts/capulet%40localhost';
    await ask(installation, 'PUT', `${account}/password`, { password: 'another secret' });
    await ask(installation, 'PUT', `${account}/enabled`, { enabled: false });
    await ask(installation, 'PUT', `${account}/enabled`, { enabled: true });
    await ask(installation, 'DELETE', account);
    await ask(installation, 'DELETE', account);
    await ask(installation, 'POST', '/api/drain');
    await ask(installation, 'DELETE', '/api/s2s/montague.lit');
    await ask(installation, 'DELETE', '/api/s2s/@');
    expect(await said(['reload'])).toBe(0);
    writeFileSync(installation.file, '{ "limits": 1 }');
    node.child.kill('SIGHUP');
    await node.nextEvent('configuration.refused');
    await romeo.close();
    await node.stop();

    const entries = entriesOf(installation.auditText);
    const socket = `${ME} (socket)`;
    const command = `${ME} (command)`;
    const name = entries.find(({ event }) => event === 'server.started')?.subject;
    expect(entries.map(shown)).toEqual([
      `account.added | success | ${command} | romeo@localhost | -`,
      `administration.refused | failure | ${command} | romeo@localhost | romeo@localhost exists already.`,
      `server.started | success | - | ${name} | -`,
      'login.succeeded | success | romeo@localhost | - | PLAIN',
      'login.failed | failure | romeo@localhost | - | not-authorized',
      'login.failed | failure | nobody@localhost | - | not-authorized',
      `account.added | success | ${socket} | juliet@localhost | -`,
      `account.move-ordered | success | ${socket} | juliet@localhost | capulet@localhost`,
      'account.moved | success | - | juliet@localhost | capulet@localhost',
      'account.password-set | success | socket | capulet@localhost | -',
      'account.disabled | success | socket | capulet@localhost | -',
      'account.enabled | success | socket | capulet@localhost | -',
      'account.removed | success | socket | capulet@localhost | -',
      'administration.refused | failure | socket | capulet@localhost | There is no account capulet@localhost.',
      'administration.refused | failure | socket | - | There is no other node that could take the sessions of this one.',
      's2s.close-ordered | success | socket | montague.lit | -',
      expect.stringMatching(/^administration\.refused \| failure \| socket \| @ \| /),
      `configuration.reloaded | success | ${socket} | - | -`,
      expect.stringMatching(/^configuration\.refused \| failure \| SIGHUP \| - \| The configuration has a problem:/),
      'node.stopping | success | - | - | SIGTERM',
    ]);
    expect(entries.slice(3, 6).map(({ address }) => address)).toEqual(new Array(3).fill('127.0.0.1'));
    expect(new Set(entries.slice(2).map(({ node }) => node))).toEqual(new Set([name]));
    expect(entries.slice(2).map(({ sequence }) => sequence)).toEqual(entries.slice(2).map((_, index) => index + 1));
    expect(statSync(installation.auditFile).mode & 0o777).toBe(0o600);
  });

  it('has to be there, or the node does not start', async () => {
    const file = join(tmpdir(), 'parley-no-such-folder', 'audit.log');
    const { code, stderr } = await new Installation({ audit: { file } }).parley(['start']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^The audit file .* cannot be opened: ENOENT.*See audit\.file\.\n$/),
    ]);
  });

  it('is made anew when logrotate has moved it, and at SIGHUP at once', async () => {
    const installation = new Installation();
    const node = await installation.start();
    renameSync(installation.auditFile, `${installation.auditFile}.1`);
    const reloaded = node.nextEvent('configuration.reloaded');
    node.child.kill('SIGHUP');
    await reloaded;
    await vi.waitFor(() => expect(entriesOf(installation.auditText)).toHaveLength(1));
    expect(entriesOf(readFileSync(`${installation.auditFile}.1`, 'utf8')).map(({ event }) => event)).toEqual([
      'server.started',
    ]);
  });

  it('keeps nobody waiting where the disk is full, tells it once, and goes on when there is room', async () => {
    const disk = SmallDisk.mount(1);
    if (disk === undefined) return; // this user may not mount one
    chmodSync(disk.folder, 0o777);
    const file = join(disk.folder, 'audit.log');
    const installation = new Installation({
      audit: { file, maxWaitingBytes: 65_536 },
      limits: { logins: { delaySeconds: 0, failuresPerAddress: 0, failuresPerAccountAndAddress: 0 } },
    });
    await installation.accounts('romeo@localhost');
    const node = await installation.start();
    disk.fill();
    const away = node.event('audit.away');
    const enable = (jid: string) => ask(installation, 'PUT', `/api/accounts/${jid}/enabled`, { enabled: true });
    for (let i = 0; i < 30; i++) await enable('romeo@localhost');
    await away;
    const romeo = await logIn(node.port('c2s'), 'romeo@localhost/orchard');
    // as many as do not fit, and more
    for (let i = 0; i < 400; i++) await enable('nobody@localhost');
    expect(await metric(node, 'parley_audit_dropped_total')).toBeGreaterThan(0);
    expect(await metric(node, 'parley_audit_waiting')).toBeLessThan(65_536 / 100);
    await romeo.sync();
    disk.empty();
    const { lost } = await node.event('audit.back');
    expect(lost).toBe(await metric(node, 'parley_audit_dropped_total'));
    await vi.waitFor(() => {
      const entries = entriesOf(readFileSync(file, 'utf8'));
      expect(entries.at(-1)).toMatchObject({ event: 'audit.lost', reason: `${lost} entries could not be written` });
      expect(entries.length + Number(lost)).toBe(entries.at(-1)?.sequence);
    });
    expect(node.log.filter(({ event }) => event === 'audit.away')).toHaveLength(1);
  });
});

/** What `parley` would ask the node, without a process for each; it does not say who it is. */
function ask(installation: Installation, method: string, path: string, body?: object): Promise<unknown> {
  const socketPath = (installation.config as { admin: { socket: string } }).admin.socket;
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': text.length };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers }, (response) => {
      response.resume().once('end', resolve);
    });
    sent.once('error', reject);
    sent.end(text);
  });
}
