import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { clientOf } from '../services/xmpp-peer.ts';
import { ManagedClient } from '../support/managed-client.ts';
import { acknowledged } from '../support/talking.ts';
import { startThreeNodes } from '../support/three-nodes.ts';
import { MAKES, OURS, World } from './world.ts';
import { owner } from './writers.ts';

let world: World;
beforeAll(async () => {
  world = await World.make();
});
afterAll(() => world[Symbol.asyncDispose]());

const WORDS = 60;

describe.each(MAKES)('three nodes and %s', (make) => {
  test('the node that speaks to it is killed in between: all arrives, in order', async () => {
    const peer = await world.peer(make, `${make.toLowerCase()}.lit`);
    const juliet = await clientOf(peer, 'juliet');
    juliet.send('<presence/>');
    const federation = {
      enabled: true,
      authorities: world.certificates.authority,
      dnsServers: [world.dns.address],
      retry: { firstSeconds: 1 },
    };
    const domains = [{ name: OURS, ...world.own }];
    const listen = { s2s: [{ host: '127.0.0.1', port: 0 }], s2sTls: [] };
    const nodes = await startThreeNodes([`romeo@${OURS}`], { domains, federation }, listen);
    world.dns.serve(OURS, nodes[1]?.node.port('s2s') ?? 0); // ejabberd asks whether we are who we say
    let at = 0;
    const next = (): number => {
      const { node, port } = nodes[at++ % nodes.length] as (typeof nodes)[number];
      return node.alive ? port : next();
    };
    const romeo = new ManagedClient(`romeo@${OURS}/orchard`, next);
    onTestFinished(() => romeo.stop());
    await romeo.start();

    const heard = new Set<string>();
    const hear = async (many: number) => {
      while (heard.size < many) heard.add((await juliet.nextMessage(romeo.jid)).childText('body') ?? '');
    };
    for (let n = 0; n < WORDS; n++) romeo.say(juliet.jid, `w${n}`);
    await hear(5);
    const { node } = await owner(nodes);
    for (let n = WORDS; n < 2 * WORDS; n++) romeo.say(juliet.jid, `w${n}`);
    await node.kill();
    for (let n = 2 * WORDS; n < 3 * WORDS; n++) romeo.say(juliet.jid, `w${n}`);
    await hear(3 * WORDS);
    // neither of them keeps streams of servers, so some may have come twice
    expect([...heard]).toEqual(romeo.said);
    await acknowledged(romeo);
  });
});
