import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EXTERNAL, type FakeConnection, fakePeer } from '@parley/server/s2s/fake-peer';
import { CertificateAuthority, plainName } from '@parley/server/stream/testing';
import { NS } from '@parley/xmpp/namespaces';
import { expect, onTestFinished, test, vi } from 'vitest';
import { TestDns } from '../services/dns.ts';
import { startServer } from '../support/server.ts';

vi.setConfig({ testTimeout: 330_000 }); // a thousand handshakes, on a machine that may have much else to do

const GOOD = 800;
/** Of each kind. */
const BAD = 40;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is in use on the heap. */
function liveBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

test('a thousand domains, many of them bad: all is delivered or answered, once, and then forgotten', async () => {
  const authority = await CertificateAuthority.make();
  const ours = await authority.issue(plainName(2, 'local.example'));
  const theirs = await authority.issue(plainName(2, '*.good.example'));
  const got: string[] = [];
  const good = await fakePeer(async (connection) => {
    await connection.startTls(theirs);
    await connection.begin(EXTERNAL);
    await connection.until(/<auth [^>]*>[^<]*<\/auth>/);
    connection.send(`<success xmlns='${NS.sasl}'/>`);
    await connection.begin('');
    const [, domain] = await connection.until(/<message to='juliet@([^']+)'/);
    got.push(domain as string);
    await connection.until(/<\/stream:stream>/);
    connection.end();
  });
  const script = (act: (connection: FakeConnection) => void) =>
    fakePeer(async (connection) => {
      await connection.until(/<stream:stream [^>]*>/);
      act(connection);
      await connection.gone();
    });
  const header = `<stream:stream xmlns='${NS.server}' xmlns:stream='${NS.streams}' id='1' version='1.0'>`;
  const bad = {
    mute: await script(() => {}),
    garbage: await script((connection) => connection.send('\0\x01\xff'.repeat(1000))),
    huge: await script((connection) => connection.send(`${header}<stream:features>${'<x/>'.repeat(10_000)}`)),
    hanging: await script((connection) => connection.destroy()),
  };

  const dns = await TestDns.start();
  const domains: string[] = [];
  const add = (domain: string, port: number) => {
    domains.push(domain);
    dns.set(`_xmpp-server._tcp.${domain}`, { srv: [{ target: 'host.example', port }] });
  };
  dns.set('host.example', { addresses: ['127.0.0.1'] });
  for (let n = 0; n < BAD; n++) {
    for (const [kind, { port }] of Object.entries(bad)) add(`d${n}.${kind}.example`, port);
    domains.push(`d${n}.unknown.example`);
  }
  for (let n = 0; n < GOOD; n++) add(`d${n}.good.example`, good.port);
  dns.set('_xmpp-server._tcp.first.good.example', { srv: [{ target: 'host.example', port: good.port }] });

  const folder = mkdtempSync(join(tmpdir(), 'parley-federation-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const server = await startServer({
    nodes: 1,
    config: {
      domains: ['local.example'],
      listen: { c2s: [], c2sTls: [], s2s: [], s2sTls: [], http: [] },
      tls: { certificate: file('own.crt', ours.cert), key: file('own.key', ours.key) },
      limits: { stanzas: { perSecond: 0, burst: 0, strangersPerHour: 0 }, bytes: { perSecond: 0 } },
      federation: {
        enabled: true,
        authorities: file('authorities.crt', authority.cert),
        dnsServers: [`127.0.0.1:${dns.port}`],
        // what is mute is found out by this alone; what is good may be slow, since its handshakes are work of this process
        timeouts: { stepSeconds: 20, idleSeconds: 2 },
        limits: { connecting: 100 },
        queue: { seconds: 300 },
        retry: { firstSeconds: 3000, maxSeconds: 3000 }, // nothing is tried twice: what waits cannot wait for that
      },
    },
  });
  const { routing } = server.node.federation;
  const romeo = await server.online('romeo@local.example/a');
  const known = () => routing.queues.filter(({ remote }) => remote.endsWith('.good.example'));
  const patience = { timeout: 240_000 }; // many times what it takes where nothing else is done
  // what is needed for the first one is there from then on
  romeo.send(`<message to='juliet@first.good.example'><body>hi</body></message>`);
  await vi.waitFor(() => expect(got.splice(0)).toEqual(['first.good.example']), patience);
  await vi.waitFor(() => expect(known()).toEqual([]), patience);
  const before = liveBytes();
  for (const domain of domains) romeo.send(`<message to='juliet@${domain}' id='${domain}'><body>hi</body></message>`);

  await vi.waitFor(() => expect(got.length + romeo.inbox.length).toBe(domains.length), patience);
  const answered = new Set<string>();
  for (const answer of await romeo.sync()) {
    const id = answer.attr('id') ?? '';
    expect(id).not.toContain('.good.');
    const expected = /mute|hanging/.test(id) ? 'remote-server-timeout' : 'remote-server-not-found';
    expect([id, answer.child('error')?.firstChild?.name]).toEqual([id, expected]);
    answered.add(id);
  }
  expect(answered.size).toBe(5 * BAD);
  expect(new Set(got).size).toBe(GOOD);
  expect(good.faults).toEqual([]);
  expect(routing.waiting).toEqual({ bytes: 0, stanzas: 0 });
  // of those that failed it is known for a while that they did
  await vi.waitFor(() => expect(known()).toEqual([]), patience);
  expect(await romeo.sync()).toEqual([]);
  // no stream is left, once the fakes and the test, which are in the same process, have forgotten theirs; that DNS has answered,
  // and whom it did not come to anything with, is known for a while
  server.log.length = 0;
  romeo.inbox.length = 0;
  for (const { connections } of [good, ...Object.values(bad)]) connections.length = 0;
  await vi.waitFor(() => expect(liveBytes() - before).toBeLessThan(12 * 1024 * 1024), { ...patience, interval: 1000 });
});
