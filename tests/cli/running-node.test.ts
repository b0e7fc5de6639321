import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { selfSigned } from '@parley/server/net/self-signed';
import { expect, it, onTestFinished, vi } from 'vitest';
import { stanzaError } from '../limits/limit.ts';
import { startRedis } from '../services/redis.ts';
import { Chat } from '../support/chat.ts';
import { plain } from '../support/login.ts';
import { appearOver, encrypted, logIn, shownCertificate } from '../support/network.ts';
import { Installation, type RunningParley } from '../support/process.ts';

it('tells how it is', async () => {
  const installation = new Installation({ domains: ['localhost', 'capulet.lit'] });
  await installation.accounts('romeo@localhost');
  const node = await installation.start();
  await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
  await logIn(node.port('c2s'), 'romeo@localhost/garden');
  const status = JSON.parse((await installation.parley(['status', '--json'])).stdout);
  expect(status).toMatchObject({
    pid: node.child.pid,
    domains: ['localhost', 'capulet.lit'],
    sessions: 2,
    accountsOnline: 1,
    keyspace: { kind: 'embedded', state: 'up' },
    notReady: [],
  });
  expect(status.listeners.map(({ name }: { name: string }) => name)).toEqual(['c2s', 'c2sTls', 'http']);
  expect(status.uptimeSeconds).toBeGreaterThan(0);
  expect((await installation.parley(['status'])).stdout).toMatch(/^Sessions +2, of 1 account online\n/m);
  await node.kill();
  expect(await installation.parley(['status', '--json'])).toEqual({
    code: 3,
    stdout: '',
    stderr: expect.stringMatching(/^No node runs here: /),
  });
});

it('tells which nodes there are', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const [one, two] = [new Installation(), new Installation()];
  for (const [installation, name] of [
    [one, 'one'],
    [two, 'two'],
  ] as const) {
    const cluster = { secret: 'a secret that only the tests know of', name };
    installation.configure({ keyspace: { url: redis.url }, cluster });
    await installation.start();
  }
  const status = JSON.parse((await two.parley(['status', '--json'])).stdout);
  expect(status).toMatchObject({ elsewhere: 0, notReady: [] });
  expect(status.cluster).toMatchObject([
    { name: 'two', here: true, sessions: 0 },
    { name: 'one', here: false, sessions: 0, id: expect.stringMatching(/^[0-9a-f]{16}$/) },
  ]);
  expect(Date.parse(status.cluster[1].since)).toBeLessThanOrEqual(Date.parse(status.cluster[0].since));
  const { stdout } = await two.parley(['status']);
  expect(stdout).toMatch(/^Nodes +two \(this one\), [0-9a-f]{16}, Parley [^,]+, since [^,]+, 0 sessions\n +one, /m);
});

it('ends in words where its port or its socket is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const installation = new Installation();
  const free = [{ host: '127.0.0.1', port: 0 }];
  installation.configure({ listen: { c2s: [{ host: '127.0.0.1', port }], c2sTls: free, http: [] } });
  expect(await installation.parley(['start'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(`^Port ${port} on 127.0.0.1 is in use: [^\n]+\n$`),
  });

  installation.configure({});
  await installation.start();
  const keyspace = { url: `embedded:${join(installation.folder, 'other')}` };
  installation.configure({ keyspace });
  expect(await installation.parley(['start'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^Another node listens on \S+\. [^\n]+\n$/),
  });
});

/** Binds one more session; the condition of the refusal, or ''. */
async function oneMore(node: RunningParley): Promise<string> {
  const client = await encrypted(node.port('c2s'));
  await plain(client, 'romeo', 'secret');
  const answer = stanzaError(await client.request('set', `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`));
  await client.close();
  return answer;
}

/** `parley reload`, or SIGHUP; what came of it, in a word or in words. */
const ways = {
  'parley reload': async (installation: Installation, _node: RunningParley) => {
    const { code, stdout, stderr } = await installation.parley(['reload']);
    return { taken: code === 0, words: code === 0 ? stdout : stderr };
  },
  SIGHUP: async (_installation: Installation, node: RunningParley) => {
    const line = Promise.race(['reloaded', 'refused'].map((end) => node.nextEvent(`configuration.${end}`)));
    node.child.kill('SIGHUP');
    const { event, ...rest } = await line;
    return { taken: event === 'configuration.reloaded', words: JSON.stringify(rest) };
  },
};

it.each(Object.entries(ways))('takes over by %s what can change, and refuses a bad file whole', async (_, reload) => {
  const installation = new Installation();
  await installation.accounts('romeo@localhost', 'juliet@localhost');
  const node = await installation.start();
  const romeo = await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
  const chat = new Chat(romeo, await appearOver(node.port('c2s'), 'juliet@localhost/balcony'));
  expect(await oneMore(node)).toBe('');

  const sessions = { perAccount: 1 };
  installation.configure({ limits: { sessions }, http: { requestTimeoutSeconds: 20 } });
  const good = await reload(installation, node);
  expect(good).toEqual({
    taken: true,
    words: expect.stringMatching(/limits\.sessions\.perAccount[\s\S]*http\.requestTimeoutSeconds/),
  });
  expect(await oneMore(node)).toBe('resource-constraint resource-limit-exceeded');

  installation.configure({ limits: { sessions: { perAccount: 20 }, nonsense: 1 } });
  expect(await reload(installation, node)).toEqual({ taken: false, words: expect.stringContaining('limits.nonsense') });
  writeFileSync(installation.file, '{');
  expect((await reload(installation, node)).taken).toBe(false);
  expect(await oneMore(node)).toBe('resource-constraint resource-limit-exceeded');

  installation.configure({ limits: { sessions: { perAccount: 20 } } });
  expect((await reload(installation, node)).taken).toBe(true);
  expect(await oneMore(node)).toBe('');
  await chat.goesOn();
  await chat.end();
});

it('shows a new certificate to who comes, without sending away who is there, and keeps the old for a bad one', async () => {
  const installation = new Installation();
  const certificate = join(installation.folder, 'domain.crt');
  const key = join(installation.folder, 'domain.key');
  const place = (pair: { certificate: string; key: string }) => {
    writeFileSync(certificate, pair.certificate);
    writeFileSync(key, pair.key);
  };
  place(await selfSigned(['localhost']));
  installation.configure({ tls: { certificate, key } });
  await installation.accounts('romeo@localhost', 'juliet@localhost');
  const node = await installation.start();
  const romeo = await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
  const chat = new Chat(romeo, await appearOver(node.port('c2s'), 'juliet@localhost/balcony'));
  const first = await shownCertificate(node.port('c2sTls'));

  place(await selfSigned(['localhost']));
  expect(await installation.parley(['reload'])).toEqual({
    code: 0,
    stdout: 'Nothing changed; certificates were read again.\n',
    stderr: '',
  });
  const second = await shownCertificate(node.port('c2sTls'));
  expect(second).not.toBe(first);
  await chat.goesOn();

  writeFileSync(certificate, 'broken');
  const { code, stderr } = await installation.parley(['reload']);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^The .+:\n {2}tls\.certificate names \S+, which holds nothing in PEM/),
  ]);
  const refused = node.nextEvent('configuration.refused');
  node.child.kill('SIGHUP');
  await refused;
  await vi.waitFor(async () => expect(await shownCertificate(node.port('c2sTls'))).toBe(second));
  const metrics = await (await fetch(`http://127.0.0.1:${node.port('http')}/metrics`)).text();
  expect(metrics).toMatch(/parley_configuration_reloads_total\{outcome="refused"\} 2/);
  await chat.goesOn();
  await chat.end();
});

it('ends no sooner than the process that systemd starts, and no later', async () => {
  const installation = new Installation();
  for (const [configuration, code] of [
    [{}, 3],
    [{ nonsense: 1 }, 2], // the node ends with the same code, which systemd shall see before this one
  ] as const) {
    installation.configure(configuration);
    const node = spawn('sleep', ['1.5']); // which never listens
    let running = true;
    node.once('exit', () => {
      running = false;
    });
    const environment = { MAINPID: String(node.pid) };
    expect(await installation.parley(['health', '--wait', '50'], '', environment)).toMatchObject({ code });
    expect(running).toBe(false);
  }
});

it('tells by the exit code whether it is well', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const installation = new Installation();
  installation.configure({
    keyspace: { url: redis.url },
    cluster: { secret: 'a secret that only the tests know of' },
  });
  expect(await installation.parley(['health'])).toEqual({
    code: 3,
    stdout: '',
    stderr: expect.stringMatching(/^No node runs here: /),
  });
  const [waited] = await Promise.all([installation.parley(['health', '--wait', '50']), installation.start()]);
  expect(waited).toEqual({ code: 0, stdout: 'live\n', stderr: '' });
  expect(await installation.parley(['health', '--ready'])).toEqual({ code: 0, stdout: 'ready\n', stderr: '' });
  // Of secrets that only the node may read it needs none.
  const unreadable = { PARLEY_KEYSPACE__PASSWORD_FILE: join(installation.folder, 'nowhere') };
  expect(await installation.parley(['health'], '', unreadable)).toMatchObject({ code: 0 });
  expect(await installation.parley(['reload'], '', unreadable)).toMatchObject({ code: 0 });
  for (const command of [
    ['account', 'list'],
    ['export', '-'],
  ])
    expect(await installation.parley(command, '', unreadable)).toMatchObject({ code: 0 });
  expect(await installation.parley(['check'], '', unreadable)).toMatchObject({ code: 2 });
  installation.configure({
    keyspace: { url: redis.url },
    cluster: { secret: 'a secret that only the tests know of' },
    drain: { now: true },
  });
  await installation.parley(['reload']);
  expect(await installation.parley(['health'])).toMatchObject({ code: 0 });
  expect(await installation.parley(['health', '--ready'])).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('drain.now'),
  });
  expect(await installation.parley(['health', '--wait', 'long'])).toMatchObject({ code: 2 });
});
