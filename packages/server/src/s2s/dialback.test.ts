import { expect, it } from 'vitest';
import { ConnectionFailure } from './connection-failure.ts';
import { dialbackKeys } from './dialback-key.ts';
import { incomingWorld, type Peer, settled, showing } from './incoming-testing.ts';

const BY_KEY = { default: 'certificate-or-dialback' };
const result = (from: string, to = 'montague.example', key = 'key') =>
  `<db:result from='${from}' to='${to}'>${key}</db:result>`;
const message = (from: string, to = 'juliet@montague.example') => `<message from='${from}' to='${to}'/>`;

async function start(federation: object = BY_KEY, from = 'capulet.example') {
  const world = incomingWorld(federation);
  const peer = world.connect();
  peer.open(from);
  await settled();
  peer.taken();
  return { world, peer };
}

/** What `db:result` elements said: for whom, and what, or which error. */
function results(peer: Peer): string[] {
  return peer.inbox
    .splice(0)
    .map((element) =>
      [
        element.name,
        element.attr('to'),
        element.attr('type'),
        ...element.elements.map((error) => error.elements[0]?.name),
      ].join(' '),
    );
}

it('takes the word of the server that DNS names for a domain', async () => {
  const { world, peer } = await start();
  peer.send(result('capulet.example', 'montague.example', ' the key\n '));
  await settled();
  expect(world.asked).toEqual([
    { receiving: 'montague.example', originating: 'capulet.example', streamId: peer.id, key: 'the key' },
  ]);
  expect(peer.taken()).toEqual([`<result from='montague.example' to='capulet.example' type='valid'/>`]);
  peer.send(message('romeo@capulet.example'));
  expect(world.taken).toHaveLength(1);
});

it('writes what it says with the prefix that some need', async () => {
  const { peer } = await start();
  let text = '';
  peer.transport.onText = (more) => {
    text += more;
  };
  peer.send(result('capulet.example', 'verona.example') + result('paris.example', 'escalus.example'));
  await settled();
  expect(text).toBe(
    `<db:result from='escalus.example' to='paris.example' type='error'><error code='404' type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>` +
      `<db:result from='verona.example' to='capulet.example' type='valid'/>`,
  );
});

it('knows domains in whatever way they are written, and answers in the same', async () => {
  const { world, peer } = await start(BY_KEY, 'Xn--Bcher-KVA.example');
  peer.send(result('Xn--Bcher-KVA.example', 'MONTAGUE.example'));
  await settled();
  expect(world.asked).toMatchObject([{ receiving: 'montague.example', originating: 'bücher.example' }]);
  expect(peer.taken()).toEqual([`<result from='MONTAGUE.example' to='Xn--Bcher-KVA.example' type='valid'/>`]);
  peer.send(message('a@xn--bcher-kva.example') + message('a@bücher.example'));
  expect(world.taken).toHaveLength(2);
});

it('takes nothing before the answer is there, and ends the stream where the key was forged', async () => {
  const { world, peer } = await start();
  const answer = Promise.withResolvers<boolean>();
  world.verify = () => answer.promise;
  peer.send(result('capulet.example'));
  await settled();
  answer.resolve(false);
  await settled();
  expect([results(peer), peer.closed]).toEqual([['result capulet.example invalid'], true]);
  expect(world.log.find(({ event }) => event === 's2s.forged')).toMatchObject({ remote: 'capulet.example' });

  const other = await start();
  other.world.verify = () => new Promise(() => {});
  other.peer.send(result('capulet.example'));
  await settled();
  other.peer.send(message('romeo@capulet.example'));
  expect([other.peer.error, other.world.taken]).toEqual(['not-authorized', []]);
});

it('has several domains on one stream, each for itself', async () => {
  const { world, peer } = await start();
  world.verify = ({ originating }) => Promise.resolve(originating !== 'forged.example');
  for (const domain of ['capulet.example', 'rooms.capulet.example', 'forged.example']) peer.send(result(domain));
  await settled();
  expect(results(peer)).toEqual([
    'result capulet.example valid',
    'result rooms.capulet.example valid',
    'result forged.example error forbidden',
  ]);
  peer.send(message('room@rooms.capulet.example') + message('romeo@capulet.example'));
  expect([world.taken.length, peer.closed]).toEqual([2, false]);
  peer.send(message('x@forged.example'));
  expect([peer.error, world.taken.length]).toEqual(['invalid-from', 2]);
});

it('asks nobody again about a domain that was proved', async () => {
  const { world, peer } = await start();
  for (const to of ['montague.example', 'verona.example']) {
    peer.send(result('capulet.example', to));
    await settled();
  }
  expect(results(peer)).toEqual(['result capulet.example valid', 'result capulet.example valid']);
  expect(world.asked).toHaveLength(1);
});

it.each([
  ['is not ours', 'capulet.example', 'escalus.example', 'item-not-found'],
  ['is spoken for by somebody who claims one of ours', 'verona.example', 'montague.example', 'not-acceptable'],
  ['is closed to it', 'paris.example', 'montague.example', 'policy-violation'],
  ['wants a certificate', 'tybalt.example', 'montague.example', 'not-authorized'],
])('a domain that %s: the stream goes on', async (_, from, to, condition) => {
  const peers = [
    { domain: 'paris.example', allow: false },
    { domain: 'tybalt.example', authentication: 'certificate' },
  ];
  const { world, peer } = await start({ ...BY_KEY, peers });
  peer.send(result(from, to));
  await settled();
  expect([results(peer), world.asked, peer.closed]).toEqual([[`result ${from} error ${condition}`], [], false]);
});

it.each([
  [new ConnectionFailure('dns', 'There is no such domain.'), 'remote-server-not-found'],
  [new ConnectionFailure('connection', 'Nobody listens at 10.0.0.1.', { timeout: true }), 'remote-server-timeout'],
  [new Error('a fault'), 'remote-server-timeout'],
])('says that nobody could be asked, and not where: %s', async (failure, condition) => {
  const { world, peer } = await start();
  world.verify = () => Promise.reject(failure);
  peer.send(result('capulet.example'));
  await settled();
  expect(peer.inbox.join('')).not.toContain('10.0.0.1');
  expect(results(peer)).toEqual([`result capulet.example error ${condition}`]);
});

it('needs no key from whoever has shown the certificate', async () => {
  const world = incomingWorld(); // keys are no good here
  const peer = world.connect(await showing(['capulet.example', '*.capulet.example']));
  peer.open('capulet.example');
  await settled();
  peer.taken();
  for (const domain of ['rooms.capulet.example', 'capulet.example', 'a.b.capulet.example']) peer.send(result(domain));
  await settled();
  expect(results(peer)).toEqual([
    'result rooms.capulet.example valid',
    'result capulet.example valid',
    'result a.b.capulet.example error not-authorized',
  ]);
  expect(world.asked).toEqual([]);
});

it('asks about a few keys at a time, and takes so many domains', async () => {
  const { world, peer } = await start({ ...BY_KEY, limits: { domainsPerStream: 4, unverifiedPerStream: 2 } });
  const answers: (() => void)[] = [];
  world.verify = () => new Promise((resolve) => answers.push(() => resolve(true)));
  for (let i = 0; i < 6; i++) peer.send(result(`d${i}.example`));
  await settled();
  expect(results(peer)).toEqual([
    'result d4.example error resource-constraint',
    'result d5.example error resource-constraint',
  ]);
  expect(world.asked).toHaveLength(2);
  for (let round = 0; round < 2; round++) {
    for (const answer of answers.splice(0)) answer();
    await settled();
  }
  expect(results(peer)).toHaveLength(4);
  peer.send(result('d6.example'));
  await settled();
  expect(results(peer)).toEqual(['result d6.example error resource-constraint']);
});

it('lets a key of before a restart prove nothing after it', async () => {
  const { world } = await start();
  const peer = world.connect((transport) => {
    transport.tls = undefined;
    // memory knows no TLS: the connection is encrypted all the same
    transport.startTls = async () => {
      transport.tls = { protocol: 'TLSv1.3', cipher: '', serverName: undefined };
    };
  });
  world.configure({ ...BY_KEY, minTls: 'none' });
  const answer = Promise.withResolvers<boolean>();
  world.verify = () => answer.promise;
  peer.open('capulet.example');
  await settled();
  peer.send(result('capulet.example'));
  await settled();
  peer.send(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`);
  await settled();
  peer.open('capulet.example');
  await settled();
  peer.taken();
  answer.resolve(true);
  await settled();
  expect(peer.inbox).toEqual([]);
  peer.send(message('romeo@capulet.example'));
  expect([peer.error, world.taken]).toEqual(['not-authorized', []]);
});

it.each([
  [`<db:result from='capulet.example' to='montague.example' type='valid'/>`, 'policy-violation'],
  [`<db:verify from='capulet.example' to='montague.example' id='1' type='valid'/>`, 'policy-violation'],
  [`<db:result to='montague.example'>key</db:result>`, 'improper-addressing'],
  [`<db:result from='a@capulet.example' to='montague.example'>key</db:result>`, 'improper-addressing'],
  [`<db:verify from='capulet.example' to='montague.example'>key</db:verify>`, 'bad-format'],
  [`<db:other from='capulet.example' to='montague.example'/>`, 'unsupported-stanza-type'],
])('%s ends the stream', async (text, condition) => {
  const { world, peer } = await start();
  peer.send(text);
  await settled();
  expect([peer.error, peer.closed, world.asked]).toEqual([condition, true, []]);
});

it('tells others whether a key is ours', async () => {
  const { peer } = await start();
  const key = dialbackKeys('our secret')('capulet.example', 'montague.example', 'D60000229F');
  const verify = (text: string, { to = 'montague.example', id = 'D60000229F' } = {}) =>
    peer.send(`<db:verify from='capulet.example' to='${to}' id='${id}'>${text}</db:verify>`);
  verify(key);
  verify(` ${key} `);
  verify(key, { id: 'D60000229E' });
  verify(key, { to: 'verona.example' });
  verify('');
  verify(key, { to: 'escalus.example' });
  expect(
    peer.inbox.map((element) => [element.attr('id'), element.attr('from'), element.attr('to'), element.attr('type')]),
  ).toEqual([
    ['D60000229F', 'montague.example', 'capulet.example', 'valid'],
    ['D60000229F', 'montague.example', 'capulet.example', 'valid'],
    ['D60000229E', 'montague.example', 'capulet.example', 'invalid'],
    ['D60000229F', 'verona.example', 'capulet.example', 'invalid'],
    ['D60000229F', 'montague.example', 'capulet.example', 'invalid'],
    ['D60000229F', 'escalus.example', 'capulet.example', 'error'],
  ]);
});
