/** Servers that resume their streams, for tests: on nodes in memory. */
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { NS } from '@parley/xmpp/namespaces';
import { onTestFinished } from 'vitest';
import { UnreliableKeyspace } from '../../../../tests/support/unreliable-keyspace.ts';
import { type IncomingWorld, type Peer, SeveralNodes, settled, showing } from './incoming-testing.ts';

export const sm = (text: string) => text.replace(/ ?\/>/, ` xmlns='${NS.streamManagement}'/>`);
export const ENABLE = sm(`<enable resume='true'/>`);
export const ASK = sm('<r/>');
export const acknowledged = (h: number) => `<a xmlns='${NS.streamManagement}' h='${h}'/>`;
export const resume = (previd: string, h = '0') => sm(`<resume previd='${previd}' h='${h}'/>`);
export const resumed = (previd: string, h: number) =>
  `<resumed xmlns='${NS.streamManagement}' h='${h}' previd='${previd}'/>`;

export const message = (id: number, to = 'juliet@montague.example', from = 'romeo@capulet.example') =>
  `<message from='${from}' to='${to}' id='${id}'><body>Hi</body></message>`;

/** What nodes have in common, and what can become of it. Ends with the test. */
export async function openNodes() {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const unreliable = new UnreliableKeyspace(keyspace);
  return { keyspace, unreliable, nodes: new SeveralNodes(unreliable.keyspace) };
}

/** Until nothing more comes of what was said: the keyspace is asked for a few things, one after the other. */
export async function restOf(keyspace: Keyspace): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await settled();
    await keyspace.set('turn', String(turn)).catch(() => {}); // it may be one that fails
  }
  await settled();
}

const shown = new Map<string, ReturnType<typeof showing>>();

/** A stream that has authenticated by certificate. */
export async function connect(world: IncomingWorld, from = 'capulet.example', to = 'montague.example'): Promise<Peer> {
  let show = shown.get(from);
  if (show === undefined) {
    show = showing([from]);
    shown.set(from, show);
  }
  const peer = world.connect(await show);
  peer.open(from, to);
  await settled();
  peer.send(`<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>=</auth>`);
  peer.open(from, to);
  await settled();
  peer.taken();
  return peer;
}

/** One that can be resumed, and its id. */
export async function begin(world: IncomingWorld, attributes = `resume='true'`): Promise<{ peer: Peer; id: string }> {
  const peer = await connect(world);
  peer.send(sm(`<enable ${attributes}/>`));
  await restOf(world.keyspace);
  return { peer, id: peer.inbox.at(-1)?.attr('id') ?? '' };
}

/** The ids of what a node took, and the number that each has in the stream. */
export const taken = ({ stanzas }: IncomingWorld) => stanzas.map(({ id, origin }) => `${id}:${origin?.k}`);
