import { NS } from '@parley/xmpp/namespaces';
import { expect, it, onTestFinished, vi } from 'vitest';
import { incomingWorld, type Peer, settled, showing } from './incoming-testing.ts';

const auth = (identity = '=') => `<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>${identity}</auth>`;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const message = (from: string, to: string, body = 'Hi') =>
  `<message from='${from}' to='${to}'><body>${body}</body></message>`;

/** What the features say, by name; of mechanisms their names. */
async function features(peer: Peer): Promise<string[]> {
  await settled();
  const element = peer.inbox.find(({ name }) => name === 'features');
  return (element?.elements ?? []).map(
    ({ name, elements }) => (name === 'mechanisms' ? elements[0]?.text : name) ?? '',
  );
}

/** A stream that has authenticated by certificate. */
async function authenticated(world = incomingWorld(), domain = 'capulet.example') {
  const peer = world.connect(await showing([domain]));
  peer.open(domain);
  await settled();
  peer.send(auth());
  peer.open(domain);
  await settled();
  peer.taken();
  return { world, peer };
}

it('answers a header as a server, and offers EXTERNAL to whoever has shown the right certificate', async () => {
  const world = incomingWorld();
  const peer = world.connect(await showing(['capulet.example']));
  peer.open('capulet.example');
  expect(await features(peer)).toEqual(['bidi', 'EXTERNAL', 'dialback']);
  expect([peer.header?.attr('from'), peer.header?.attr('to')]).toEqual(['montague.example', 'capulet.example']);
  peer.taken();
  peer.send(auth(base64('capulet.example')));
  expect(peer.taken()).toEqual([`<success xmlns='${NS.sasl}'/>`]);
  const { id } = peer;
  peer.open('capulet.example');
  expect(await features(peer)).toEqual(['sm', 'limits', 'dialback']);
  expect(peer.id).not.toBe(id);
  peer.send(message('romeo@capulet.example/x', 'juliet@montague.example'));
  expect(world.taken).toEqual([
    `<message to='juliet@montague.example' from='romeo@capulet.example/x'><body>Hi</body></message>`,
  ]);
  expect(world.log.find(({ event }) => event === 's2s.accepted')).toMatchObject({
    remote: 'capulet.example',
    mechanism: 'certificate',
  });
});

it('asks for the identity where none comes with the mechanism', async () => {
  const world = incomingWorld();
  const peer = world.connect(await showing(['capulet.example']));
  peer.open('capulet.example');
  await settled();
  peer.taken();
  peer.send(`<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'/>`);
  expect(peer.taken()).toEqual([`<challenge xmlns='${NS.sasl}'/>`]);
  peer.send(`<response xmlns='${NS.sasl}'/>`);
  expect(peer.taken()).toEqual([`<success xmlns='${NS.sasl}'/>`]);
});

it.each([
  ['a certificate of somebody else', ['verona.example'], undefined, 'capulet.example'],
  ['a certificate of the domain above', ['example'], undefined, 'capulet.example'],
  ['one that nobody vouches for', ['capulet.example'], 'DEPTH_ZERO_SELF_SIGNED_CERT', 'capulet.example'],
  ['one that is over', ['capulet.example'], 'CERT_HAS_EXPIRED', 'capulet.example'],
  ['nobody that it claims to be', ['capulet.example'], undefined, undefined],
])('offers EXTERNAL to nobody with %s', async (_, domains, fault, from) => {
  const world = incomingWorld();
  const peer = world.connect(await showing(domains, fault));
  peer.open(from);
  expect(await features(peer)).toEqual(['bidi', 'sm', 'dialback']);
  peer.taken();
  for (let attempt = 0; attempt < 3; attempt++) peer.send(auth(base64('capulet.example')));
  expect(peer.inbox.map(({ name }) => name)).toEqual(['failure', 'failure', 'failure', 'error']);
  expect([peer.error, peer.closed]).toEqual(['policy-violation', true]);
});

it('takes nobody for another domain than its header named', async () => {
  const world = incomingWorld();
  const peer = world.connect(await showing(['capulet.example', 'escalus.example']));
  peer.open('capulet.example');
  await settled();
  peer.taken();
  peer.send(auth(base64('escalus.example')));
  expect(peer.taken()[0]).toContain('<invalid-authzid/>');
  peer.send(auth());
  expect(peer.taken()).toEqual([`<success xmlns='${NS.sasl}'/>`]);
  peer.open('escalus.example');
  expect(peer.error).toBe('invalid-from');
});

it('wants encryption first', async () => {
  const world = incomingWorld();
  const peer = world.connect((transport) => {
    transport.tls = undefined;
  });
  peer.open('capulet.example');
  await settled();
  expect(peer.taken()).toEqual([
    `<features xmlns='${NS.streams}'><starttls xmlns='${NS.tls}'><required/></starttls></features>`,
  ]);
  peer.send(`<db:result from='capulet.example' to='montague.example'>key</db:result>`);
  await settled();
  expect(peer.taken()[0]).toContain('policy-violation');
  peer.send(auth());
  expect(peer.taken()[0]).toContain('not-authorized');
});

it.each([
  ['from one of ours', 'montague.example', 'verona.example', 'invalid-from'],
  ['from one of ours to itself', 'verona.example', 'verona.example', 'invalid-from'],
  ['from what is no domain', 'a@capulet.example', 'montague.example', 'invalid-from'],
  ['to somebody else', 'capulet.example', 'escalus.example', 'host-unknown'],
  ['of a domain that is not allowed', 'paris.example', 'montague.example', 'policy-violation'],
])('a header %s ends the stream', async (_, from, to, condition) => {
  const world = incomingWorld({ peers: [{ domain: 'paris.example', allow: false }] });
  const peer = world.connect(await showing([from]));
  peer.open(from, to);
  await settled();
  expect([peer.error, peer.closed]).toEqual([condition, true]);
});

it('takes no stanza before it knows who sends it', async () => {
  const world = incomingWorld();
  const peer = world.connect(await showing(['capulet.example']));
  peer.open('capulet.example');
  await settled();
  peer.send(message('romeo@capulet.example', 'juliet@montague.example'));
  expect([peer.error, peer.closed, world.taken]).toEqual(['not-authorized', true, []]);
});

it.each([
  ['from another domain', 'romeo@escalus.example', 'juliet@montague.example', 'invalid-from'],
  ['from a domain below', 'romeo@a.capulet.example', 'juliet@montague.example', 'invalid-from'],
  ['from one of ours', 'juliet@montague.example', 'juliet@montague.example', 'invalid-from'],
  ['from nobody', undefined, 'juliet@montague.example', 'improper-addressing'],
  ['from what is no address', '@', 'juliet@montague.example', 'improper-addressing'],
  ['to nobody', 'romeo@capulet.example', undefined, 'improper-addressing'],
  ['to somebody else', 'romeo@capulet.example', 'juliet@escalus.example', 'host-unknown'],
  ['to its own domain', 'romeo@capulet.example', 'juliet@capulet.example', 'host-unknown'],
])('a stanza %s ends the stream', async (_, from, to, condition) => {
  const { world, peer } = await authenticated();
  const attributes = [from && ` from='${from}'`, to && ` to='${to}'`].filter(Boolean).join('');
  peer.send(`<message${attributes}><body>Hi</body></message>`);
  expect([peer.error, peer.closed, world.taken]).toEqual([condition, true, []]);
});

it('takes stanzas for all domains of ours, in whatever way their namespace is written', async () => {
  const { world, peer } = await authenticated();
  peer.send(`<presence xmlns='${NS.server}' from='capulet.example' to='verona.example'/>`);
  peer.send(
    `<x:iq xmlns:x='${NS.server}' type='get' id='1' from='a@capulet.example' to='b@verona.example'><q xmlns='urn:x'/></x:iq>`,
  );
  expect(world.taken).toEqual([
    `<presence to='verona.example' from='capulet.example'/>`,
    `<iq to='b@verona.example' from='a@capulet.example' id='1' type='get'><q xmlns='urn:x'/></iq>`,
  ]);
  peer.send('<other/>');
  expect(peer.error).toBe('unsupported-stanza-type');
});

it('answers what is not proper without ending the stream', async () => {
  const { world, peer } = await authenticated();
  peer.send(message('romeo@capulet.example', '"@montague.example'));
  peer.send(`<iq type='get' from='romeo@capulet.example/x' to='juliet@montague.example'/>`);
  peer.send(`<message type='error' from='romeo@capulet.example' to='"@montague.example'/>`);
  expect(
    world.answered.map((text) => [/to='([^']*)'/.exec(text)?.[1], /<error[^>]*><([\w-]+)/.exec(text)?.[1]]),
  ).toEqual([
    ['romeo@capulet.example', 'jid-malformed'],
    ['romeo@capulet.example/x', 'bad-request'],
  ]);
  expect([world.taken, peer.closed]).toEqual([[], false]);
});

it('takes only the kinds of stanzas that the policy allows, as it is just then', async () => {
  const { world, peer } = await authenticated(
    incomingWorld({ peers: [{ domain: 'capulet.example', stanzas: ['message'] }] }),
  );
  const all = () => {
    peer.send(message('romeo@capulet.example', 'juliet@montague.example'));
    peer.send(`<presence from='romeo@capulet.example' to='juliet@montague.example'/>`);
    peer.send(
      `<iq type='get' id='1' from='romeo@capulet.example' to='juliet@montague.example'><q xmlns='urn:x'/></iq>`,
    );
  };
  all();
  expect([world.taken.length, world.answered.length]).toEqual([1, 1]);
  expect(world.answered[0]).toContain('policy-violation');
  world.configure({ peers: [{ domain: 'capulet.example', allow: false }] });
  all();
  expect([world.taken.length, world.answered.length]).toEqual([1, 3]);
});

it('keeps the order of each pair, and has nobody wait for others', async () => {
  const { world, peer } = await authenticated();
  const slow = Promise.withResolvers<void>();
  world.process = (stanza) => (stanza.to?.local === 'slow' ? slow.promise : undefined);
  for (const name of ['slow', 'slow', 'quick']) peer.send(message('romeo@capulet.example', `${name}@montague.example`));
  expect(world.taken.map((text) => /to='(\w+)/.exec(text)?.[1])).toEqual(['slow', 'quick']);
  slow.resolve();
  await settled();
  expect(world.taken).toHaveLength(3);
});

it('reads no further where too much is under way', async () => {
  const { world, peer } = await authenticated();
  const slow = Promise.withResolvers<void>();
  world.process = () => slow.promise;
  for (let i = 0; i < 200; i++) peer.send(message('romeo@capulet.example', `u${i}@montague.example`));
  await settled();
  expect(world.taken).toHaveLength(64);
  slow.resolve();
  await settled();
  expect(world.taken).toHaveLength(200);
});

it('keeps a stream to the sizes and rates of its domain', async () => {
  const peers = [{ domain: 'capulet.example', maxStanzaBytes: 20_000 }];
  const { world, peer } = await authenticated(incomingWorld({ peers }));
  peer.send(message('romeo@capulet.example', 'juliet@montague.example', 'x'.repeat(15_000)));
  expect(world.taken).toHaveLength(1);
  peer.send(message('romeo@capulet.example', 'juliet@montague.example', 'x'.repeat(25_000)));
  expect([peer.error, world.taken.length]).toEqual(['policy-violation', 1]);
});

it('lets go of whoever says nothing for long, and not of who shows to be there, be it by white space', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const world = incomingWorld({ timeouts: { idleSeconds: 60 } });
  const { peer: silent } = await authenticated(world);
  const { peer: there } = await authenticated(world, 'verona.example.org');
  for (let seconds = 0; seconds < 60; seconds += 5) {
    vi.advanceTimersByTime(5000);
    there.send(' ');
    await settled();
    expect(silent.closed).toBe(false);
  }
  vi.advanceTimersByTime(10_000);
  expect([silent.closed, there.closed]).toEqual([true, false]);
});

it.each([
  ['about keys', `<db:verify from='capulet.example' to='montague.example' id='s1'>key</db:verify>`],
  ['to count what was counted already', `<enable xmlns='${NS.streamManagement}'/>`],
  ['to go on with what was never there', `<resume xmlns='${NS.streamManagement}' previd='x' h='0'/>`],
])('answers nobody for ever who does not read the answers, and asks %s', async (_, question) => {
  const { peer } = await authenticated();
  const ask = `<r xmlns='${NS.streamManagement}'/>`;
  peer.send(`<enable xmlns='${NS.streamManagement}'/>${ask}${question}`);
  await settled();
  expect(peer.inbox.splice(0).map(({ name }) => name)).toEqual([
    'enabled',
    'a',
    expect.stringMatching(/verify|failed/),
  ]);
  peer.transport.buffered = 5_000_000;
  peer.send(ask.repeat(1000));
  await settled();
  expect([peer.inbox, peer.closed]).toEqual([[], false]); // the next answer says as much
  peer.send(question);
  await settled();
  expect([peer.error, peer.closed]).toEqual(['resource-constraint', true]);
});

it('answers strangers no longer, either', async () => {
  const peer = incomingWorld().connect(await showing(['capulet.example']));
  peer.open('capulet.example');
  await settled();
  peer.transport.buffered = 5_000_000;
  peer.send(`<enable xmlns='${NS.streamManagement}'/>`);
  await settled();
  expect([peer.error, peer.closed]).toEqual(['resource-constraint', true]);
});
