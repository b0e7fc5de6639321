import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it, vi } from 'vitest';
import { type CollectedSpan, OtlpCollector } from '../services/otlp-collector.ts';
import { appearOver } from '../support/network.ts';
import { Installation, type RunningParley } from '../support/process.ts';
import { startThreeNodes } from '../support/three-nodes.ts';
import { asPrometheus } from './as-prometheus.ts';

/** Whatever else this machine does. */
const limits = { process: { eventLoopDelayMilliseconds: 60_000 } };

const BODY = 'It is the east';
/** What says who somebody is, or what they said. */
const PERSONAL = ['romeo', 'juliet', 'orchard', 'balcony', 'localhost', BODY];

const nameOf = ({ log }: RunningParley): string => String(log.find(({ event }) => event === 'server.started')?.node);

/** The series of /metrics, by name and labels. */
async function prometheus(node: RunningParley): Promise<Map<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${node.port('http')}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** Those that stand still while nobody does anything. */
const still = (series: Map<string, number>): [string, number][] =>
  [...series]
    .filter(([name, value]) => value !== 0 && /^(xmpp_|parley_(build|errors|log|descriptors))/.test(name))
    .sort();

describe.each(['http/protobuf', 'http/json'] as const)('OpenTelemetry by %s', (protocol) => {
  it('gets the same numbers as Prometheus, and what proves who tells them', async () => {
    const collector = await OtlpCollector.start();
    const headers = [{ name: 'authorization', valueFile: 'token' }];
    const metrics = { intervalSeconds: 1 };
    const installation = new Installation({
      limits,
      opentelemetry: { endpoint: collector.endpoint, protocol, headers, metrics, serviceName: 'chat' },
    });
    writeFileSync(join(installation.folder, 'token'), 'Bearer of the tests alone\n');
    await installation.accounts('romeo@localhost', 'juliet@localhost');
    const node = await installation.start();
    const romeo = await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
    const juliet = await appearOver(node.port('c2s'), 'juliet@localhost/balcony');
    for (let i = 0; i < 20; i++) romeo.send(`<message to='juliet@localhost/balcony'><body>${BODY}</body></message>`);
    await romeo.sync();
    await juliet.sync();

    // both are looked at again until they are of the same moment: a connection that is closed meanwhile is one descriptor less
    const told = await vi.waitFor(async () => {
      const shown = still(await prometheus(node));
      const found = collector.metrics.get(nameOf(node)) ?? [];
      expect(still(asPrometheus(found))).toEqual(shown);
      return found;
    });
    expect(asPrometheus(told).get('xmpp_stanzas_total{kind="message",direction="in"}')).toBe(20);
    const types = new Map(told.map(({ name, type, monotonic, unit }) => [name, [type, monotonic, unit]]));
    expect(types.get('xmpp.stanzas')).toEqual(['sum', true, '{stanza}']);
    expect(types.get('xmpp.sessions')).toEqual(['sum', false, '{session}']); // all nodes together have their sum
    expect(types.get('parley.uptime')).toEqual(['gauge', false, 's']);
    expect(types.get('xmpp.delivery.duration')).toEqual(['histogram', false, 's']);
    expect(collector.headers[0]?.authorization).toBe('Bearer of the tests alone');
    expect(collector.spans).toEqual([]); // nobody asked for them

    // what falls to zero is told to be zero
    await romeo.close();
    await juliet.close();
    await collector.find(() => {
      const sessions = collector.metrics.get(nameOf(node))?.find(({ name }) => name === 'xmpp.sessions');
      return sessions?.points[0]?.value === 0 ? sessions : undefined;
    });
    expect(await node.stop()).toBe(0);
  });

  it('follows a message from one node to another, and says nothing of who and what', async () => {
    const collector = await OtlpCollector.start();
    const opentelemetry = { endpoint: collector.endpoint, protocol, metrics: { enabled: false }, traces: { ratio: 1 } };
    const log = { level: 'trace' };
    const nodes = await startThreeNodes(['romeo@localhost', 'juliet@localhost'], { opentelemetry, log, limits });
    const [first, second] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    const romeo = await appearOver(first.port, 'romeo@localhost/orchard');
    const juliet = await appearOver(second.port, 'juliet@localhost/balcony');
    juliet.send(`<enable xmlns='${NS.streamManagement}' resume='true'/>`);
    await juliet.take(({ name }) => name === 'enabled');
    romeo.send(`<message to='juliet@localhost/balcony' type='chat'><body>${BODY}</body></message>`);
    expect((await juliet.nextMessage()).childText('body')).toBe(BODY);

    const [here, there] = [nameOf(first.node), nameOf(second.node)];
    const isMessage = ({ name, attributes }: CollectedSpan) =>
      name === 'xmpp.stanza' && attributes['xmpp.stanza.kind'] === 'message';
    const root = await collector.find(() => collector.spans.find(isMessage));
    const inTrace = () => collector.spans.filter(({ traceId }) => traceId === root.traceId);
    const deliver = await collector.find(() => inTrace().find(({ name }) => name === 'xmpp.deliver'));
    await first.node.stop();
    await second.node.stop();

    const spans = inTrace();
    const named = (name: string) => spans.find((span) => span.name === name) as CollectedSpan;
    const steps = (parent: CollectedSpan) =>
      spans.filter(({ parentSpanId, node }) => parentSpanId === parent.spanId && node === parent.node);
    expect(root).toMatchObject({ parentSpanId: '', kind: 2, node: here, failed: false });
    expect(root.attributes).toEqual({
      'xmpp.connection.type': 'c2s',
      'xmpp.stanza.kind': 'message',
      'xmpp.stanza.type': 'chat',
    });
    expect(
      steps(root)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['keyspace hgetall', 'xmpp.hop', 'xmpp.parse', 'xmpp.route']);
    expect(deliver).toMatchObject({ parentSpanId: named('xmpp.hop').spanId, kind: 5, node: there });
    expect(
      steps(deliver)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['keyspace rpushx', 'xmpp.write']);
    expect(named('keyspace rpushx')).toMatchObject({
      kind: 3,
      attributes: { 'db.system.name': 'redis', 'db.operation.name': 'rpushx' },
    });
    expect(spans).toHaveLength(8);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(8);
    for (const span of spans) {
      expect(span.end).toBeGreaterThanOrEqual(span.start);
      if (span.node === here) expect(span.start).toBeGreaterThanOrEqual(root.start);
      if (span.node === here) expect(span.end).toBeLessThanOrEqual(root.end);
    }
    expect(named('xmpp.parse').start).toBe(root.start);
    // the message was in Redis before it was on its way to the client, and the sender's node waited for that
    expect(named('keyspace rpushx').end).toBeLessThanOrEqual(named('xmpp.write').end);
    expect(named('keyspace rpushx').start).toBeGreaterThanOrEqual(deliver.start);

    for (const word of PERSONAL) expect(collector.text).not.toContain(word);
    // lines of the log say which trace they belong to
    const received = first.node.log.find((line) => line.trace_id === root.traceId);
    expect(received).toMatchObject({ event: 'stanza.received', span_id: root.spanId });
    const sent = second.node.log.find((line) => line.trace_id === root.traceId);
    expect(sent).toMatchObject({ event: 'stanza.sent', span_id: deliver.spanId });
    expect(first.node.log.find(({ event }) => event === 'session.bound')).not.toHaveProperty('trace_id');
  });
});

it('loads nothing of OpenTelemetry where nobody asks for it', async () => {
  const hook = `import{registerHooks}from'node:module';registerHooks({load(u,c,n){if(u.includes('/@opentelemetry'))process._rawDebug(u);return n(u,c)}})`;
  const flags = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
  const without = await new Installation().start({ flags });
  await without.stop();
  expect(without.stderr).not.toContain('/@opentelemetry');
  const collector = await OtlpCollector.start();
  const loaded = await new Installation({ opentelemetry: { endpoint: collector.endpoint } }).start({ flags });
  await loaded.stop();
  expect(loaded.stderr).toContain('/@opentelemetry');
});

it('runs on without its collector, says so once, and goes on when that is back', async () => {
  const collector = await OtlpCollector.start();
  await collector.close();
  const opentelemetry = { endpoint: collector.endpoint, timeoutSeconds: 1, metrics: { intervalSeconds: 1 } };
  const installation = new Installation({ opentelemetry, limits });
  await installation.accounts('romeo@localhost', 'juliet@localhost');
  const node = await installation.start();
  const romeo = await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
  const juliet = await appearOver(node.port('c2s'), 'juliet@localhost/balcony');
  // traces may be switched on while it runs
  installation.configure({ opentelemetry: { ...opentelemetry, traces: { ratio: 1 } } });
  expect((await installation.parley(['reload'])).stdout).toContain('opentelemetry.traces.ratio');
  const away = await node.event('telemetry.away');
  expect(away).toMatchObject({ level: 'warn', endpoint: collector.endpoint });
  expect(away.reason).toContain('ECONNREFUSED');
  for (let i = 0; i < 50; i++) {
    romeo.send(`<message to='juliet@localhost/balcony'><body>${i}</body></message>`);
    expect((await juliet.nextMessage()).childText('body')).toBe(String(i));
  }
  collector.status = 503;
  await collector.open();
  const speak = async () => {
    romeo.send(`<message to='juliet@localhost/balcony'><body>anybody?</body></message>`);
    await juliet.nextMessage();
    // what it was given first is tried twice at most, within the time that it has
    expect(collector.refused.filter((path) => path === '/v1/traces').length).toBeGreaterThan(2);
  };
  await vi.waitFor(speak, { interval: 100 });
  collector.status = 200;
  expect(Number((await node.nextEvent('telemetry.back')).lostSpans)).toBeGreaterThan(0);
  expect(node.log.filter(({ event }) => event === 'telemetry.away')).toHaveLength(1);
  romeo.send(`<message to='juliet@localhost/balcony'><body>after</body></message>`);
  await juliet.nextMessage();
  await collector.find(() => collector.spans.find(({ name }) => name === 'xmpp.write'));
  await collector.close();
  const stopping = performance.now();
  expect(await node.stop()).toBe(0);
  expect(performance.now() - stopping).toBeLessThan(9000); // it does not wait for what is not there
});
