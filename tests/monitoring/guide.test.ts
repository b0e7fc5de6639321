// docs/monitoring.md, from nothing to a walk, a notification and a trace: what it says to write and to do.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { standardMibs } from '../../scripts/test-services.ts';
import { freeUdpPort } from '../services/free-udp-port.ts';
import { OtlpCollector } from '../services/otlp-collector.ts';
import { giveAway, programOf, spawnUnprivileged } from '../services/unprivileged.ts';
import { appearOver } from '../support/network.ts';
import { Installation, run } from '../support/process.ts';

// the server's own
const { parse } = createRequire(new URL('../../packages/server/package.json', import.meta.url))('yaml') as {
  parse(text: string): {
    snmp: { users?: object[]; targets?: object[] };
    cluster: { name: string };
    opentelemetry: object;
  };
};

const guide = readFileSync(new URL('../../docs/monitoring.md', import.meta.url), 'utf8');
const section = (title: string) => guide.split(/^## /m).find((text) => text.startsWith(title)) ?? '';
const walk = section('From nothing to a walk');
const gone = section('A notification when a node is gone');
const traced = section('OpenTelemetry: from nothing to a trace');

/** What is written into a file: in a language, or in none. */
const block = (text: string, language: string) =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].find(([, name]) => name === language)?.[2] ?? '';

/** The command that begins so, which a shell gets as it stands but for what differs on each machine. */
function command(text: string, begins: string, port: number): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith(`    ${begins}`));
  const last = lines.findIndex((line, at) => at >= first && !line.endsWith('\\'));
  expect(first, begins).toBeGreaterThanOrEqual(0);
  return lines
    .slice(first, last + 1)
    .join('\n')
    .replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`)
    .replaceAll('/usr/sbin/snmptrapd', programOf('snmptrapd'))
    .replace('$(echo /usr/lib/erlang/lib/snmp-*/mibs)', standardMibs() ?? '');
}

it('leads to a walk with names, and to what a killed node causes', async () => {
  const [port, asked] = [await freeUdpPort(), parse(block(walk, 'yaml')).snmp];
  const targets = parse(block(gone, 'yaml')).snmp.targets?.map((each) => ({ ...each, host: '127.0.0.1', port }));
  const installation = new Installation({ snmp: { ...asked, port: 0, targets, downSeconds: 12 } });
  const node = await installation.start();
  const agent = await installation.snmpAgent();
  // whoever watches has a folder of their own
  const cwd = mkdtempSync(join(tmpdir(), 'parley-guide-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  expect(walk).toContain('    parley mib > XMPP-SERVER-MIB.txt\n');
  writeFileSync(join(cwd, 'XMPP-SERVER-MIB.txt'), (await installation.parley(['mib'])).stdout);
  const env = { SNMP_PERSISTENT_DIR: join(cwd, 'manager') };
  const agentPort = Number((await agent.event('snmp.started')).port);
  const walked = await run('/bin/sh', ['-c', command(walk, 'snmpbulkwalk', agentPort)], { cwd, env });
  const { node: name } = await node.event('server.started');
  expect(walked.stdout).toContain('XMPP-SERVER-MIB::xmppNodeState.2 = INTEGER: up(1)\n');
  expect(walked.stdout).toContain(`XMPP-SERVER-MIB::xmppNodeName.2 = STRING: ${name}\n`);

  writeFileSync(join(cwd, 'traps.conf'), block(gone, ''));
  giveAway(cwd);
  const receiving = command(gone, 'SNMP_PERSISTENT_DIR', port).replace(/(=traps) /, '$1 exec ');
  const receiver = spawnUnprivileged('/bin/sh', ['-c', receiving], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(async () => {
    const closed = once(receiver, 'close');
    receiver.kill();
    await closed;
  });
  let said = '';
  receiver.stdout?.on('data', (text) => {
    said += text;
  });
  receiver.stderr?.on('data', (text) => {
    said += text;
  });
  await vi.waitFor(() => expect(said).toContain('NET-SNMP version'));
  await node.kill();
  await vi.waitFor(() => {
    expect(said).toContain('XMPP-SERVER-MIB::xmppNodeDown');
    expect(said).toContain(`XMPP-SERVER-MIB::xmppNodeName.2 = STRING: ${name}`);
  });
});

it('leads to a trace of a message, and to what the log says of it', async () => {
  const collector = await OtlpCollector.start();
  const { cluster, opentelemetry } = parse(block(traced, 'yaml'));
  const installation = new Installation({
    cluster,
    opentelemetry: { ...opentelemetry, endpoint: collector.endpoint },
    log: { level: 'trace' }, // everything that there is to say of a message
  });
  await installation.accounts('romeo@localhost', 'juliet@localhost');
  const node = await installation.start();
  const romeo = await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
  const juliet = await appearOver(node.port('c2s'), 'juliet@localhost/balcony');
  romeo.send(`<message to='juliet@localhost/balcony'><body>Art thou not Romeo?</body></message>`);
  await juliet.nextMessage();
  const [, name = '', attribute = '', kind = ''] = /look for `([^`]+)` with `([^`=]+)=([^`]+)`/.exec(traced) ?? [];
  const span = await collector.find(() =>
    collector.spans.find((each) => each.name === name && each.attributes[attribute] === kind),
  );
  expect(span.node).toBe(cluster.name);
  // what a node logs comes another way than its spans
  await vi.waitFor(() => {
    const lines = node.log.filter((line) => line.trace_id === span.traceId);
    expect(lines.map(({ event }) => event)).toEqual(['stanza.received', 'stanza.sent']);
  });
});
