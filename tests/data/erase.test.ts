import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { NS } from '@parley/xmpp/namespaces';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../services/redis.ts';
import { appearOver } from '../support/network.ts';
import { Installation } from '../support/process.ts';

const JULIET = 'juliet@localhost';
const ROMEO = 'romeo@localhost';
/** The machine may have much else to do. */
const CALM = { process: { eventLoopDelayMilliseconds: 60_000 } };
const WORDS = 'wherefore art thou';
/** Of another server, which is not there just now, and what Juliet writes to him. */
const AWAY = 'mercutio@remote.example';
const FAR = 'a plague o both';
const federation = async () => ({
  enabled: true,
  peers: [{ domain: 'remote.example', connectTo: `127.0.0.1:${await freePort()}` }],
  retry: { firstSeconds: 1, maxSeconds: 2 },
});

/** Juliet, who has some of everything; Romeo, who sees her; Paris, who waits for her answer. */
async function begun(ours: Installation) {
  await ours.accounts(JULIET, ROMEO, 'paris@localhost');
  const node = await ours.start();
  const port = node.port('c2s');
  const romeo = await appearOver(port, `${ROMEO}/orchard`);
  await romeo.request('get', `<query xmlns='${NS.roster}'/>`);
  const juliet = await appearOver(port, `${JULIET}/balcony`);
  await juliet.request('get', `<query xmlns='${NS.roster}'/>`);
  const paris = await appearOver(port, 'paris@localhost/hall');
  romeo.send(`<presence type='subscribed' to='${JULIET}'/><presence type='subscribe' to='${JULIET}'/>`);
  paris.send(`<presence type='subscribe' to='${JULIET}'/>`);
  await juliet.take((element) => element.attr('type') === 'subscribe');
  juliet.send(`<presence type='subscribed' to='${ROMEO}'/><presence type='subscribe' to='${ROMEO}'/>`);
  await romeo.take((element) => element.attr('type') === 'subscribed');
  await juliet.request('set', `<vCard xmlns='${NS.vcard}'><FN>Juliet Capulet</FN></vCard>`);
  await juliet.request('set', `<query xmlns='${NS.private}'><a xmlns='urn:a'>her secret</a></query>`);
  await juliet.request('set', `<block xmlns='${NS.blocking}'><item jid='tybalt@example.com'/></block>`);
  juliet.send(`<message to='${AWAY}' type='chat'><body>${FAR}</body></message>`);
  await juliet.sync();
  juliet.send('</stream:stream>');
  await juliet.closed;
  romeo.send(`<message type='chat' to='${JULIET}'><body>${WORDS}</body></message>`);
  await romeo.sync();
  return { node, romeo };
}

async function erased(ours: Installation) {
  const { romeo } = await begun(ours);
  const done = await ours.parley(['account', 'erase', JULIET]);
  expect([done.code, done.stderr]).toEqual([0, '']);
  expect(done.stdout).toMatch(/^Nothing is stored about juliet@localhost any more\. Not erased:\n- /);
  const parted = [
    await romeo.take((e) => e.attr('type') === 'unsubscribe'),
    await romeo.take((e) => e.attr('type') === 'unsubscribed'),
  ];
  expect(parted.map((element) => element.attr('from'))).toEqual([JULIET, JULIET]);
  // twice is as good as once, and one that never was has nothing
  expect((await ours.parley(['account', 'erase', JULIET])).code).toBe(0);
  return done.stdout;
}

test('on disk nothing is left of an account that is erased but its address with others', async () => {
  const ours = new Installation({ limits: CALM });
  await erased(ours);
  const folder = join(ours.folder, 'data');
  for (const name of readdirSync(folder).filter((each) => each.startsWith('keyspace.'))) {
    const content = readFileSync(join(folder, name), 'latin1');
    for (const trace of ['Juliet Capulet', 'her secret', WORDS, 'tybalt', `:${JULIET}`]) {
      expect([name, trace, content.includes(trace)]).toEqual([name, trace, false]);
    }
    if (name.endsWith('.sqlite')) expect(content.includes(`:${ROMEO}`)).toBe(true); // it is where it would be
  }
});

test('nor in Redis', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const ours = new Installation({
    limits: CALM,
    keyspace: { url: redis.url },
    cluster: { secret: 'a secret that only the tests know' },
  });
  const said = await erased(ours);
  expect(said).toContain('BGREWRITEAOF');
  const keys = await allKeys(redis.url);
  expect(keys.some((key) => key.includes(ROMEO))).toBe(true);
  expect(keys.filter((key) => key.includes('juliet'))).toEqual([]);
});

/** The keys that a Redis has, as it tells them itself. */
async function allKeys(url: string): Promise<string[]> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end('KEYS *\r\nQUIT\r\n');
  const said = (await socket.setEncoding('utf8').toArray()).join('');
  return said.split('\r\n').filter((line) => line.includes(':{'));
}

test('what is kept about an account is given out as files', async () => {
  const ours = new Installation({ limits: CALM, federation: await federation() });
  await begun(ours);
  const folder = join(ours.folder, 'archive');
  const { code, stderr } = await ours.parley(['account', 'export', JULIET, folder]);
  expect([code, stderr]).toEqual([0, '']);
  expect(readdirSync(folder).sort()).toEqual([
    'README.txt',
    'account.xml',
    'audit.jsonl',
    'kept.json',
    'sessions.json',
    'undelivered.jsonl',
  ]);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  for (const part of ['her secret', 'Juliet Capulet', WORDS, 'tybalt@example.com', ROMEO, 'paris@localhost']) {
    expect(read('account.xml')).toContain(part);
  }
  const [undelivered, ...more] = read('undelivered.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect([undelivered.for, more]).toEqual(['remote.example', []]);
  expect(undelivered.stanza).toContain(`<body>${FAR}</body>`);
  const kept = JSON.parse(read('kept.json')) as Record<string, unknown>;
  expect(Object.keys(kept).sort()).toEqual(
    [
      'account',
      'blocklist',
      'last-activity',
      'offline',
      'offline-state',
      'private',
      'roster',
      'subscription-requests',
      'vcard',
    ].sort(),
  );
  const audit = read('audit.jsonl').trim().split('\n');
  expect(audit[0]).toContain('login.succeeded');
  expect(audit.every((line) => line.includes(JULIET))).toBe(true);
  const again = await ours.parley(['account', 'export', JULIET, folder]);
  expect(again.code).toBe(1);
  const nobody = await ours.parley(['account', 'export', 'nobody@localhost', join(ours.folder, 'x')]);
  expect([nobody.code, nobody.stderr]).toEqual([1, 'There is no account nobody@localhost.\n']);
});
