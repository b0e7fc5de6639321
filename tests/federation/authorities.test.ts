import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CertificatePair, DomainCertificates } from '../services/domain-certificates.ts';
import { HostileServer } from './hostile-server.ts';
import { OURS, World } from './world.ts';

let world: World;
let others: DomainCertificates;
beforeAll(async () => {
  world = await World.make();
  others = DomainCertificates.make(world.folder, 'others');
});
afterAll(() => world[Symbol.asyncDispose]());

/** Whether somebody who shows this may log in as a domain. */
async function offered(domain: string, own: CertificatePair): Promise<boolean> {
  const peers = [{ domain: 'private.lit', authorities: others.authority }];
  const server = await world.server({ federation: { peers } });
  const peer = await HostileServer.connect(server.port('s2s'));
  const features = await peer.begin(domain, OURS, own);
  return features?.child('mechanisms', NS.sasl) !== undefined;
}

it('believes those who may vouch for a domain, and nobody else for it', async () => {
  expect(await offered('a.lit', world.certificates.of('a.lit'))).toBe(true);
  expect(await offered('a.lit', world.certificates.forClients('a.lit'))).toBe(true);
  expect(await offered('private.lit', others.of('private.lit'))).toBe(true);
  expect(await offered('private.lit', others.forClients('private.lit'))).toBe(true);
  // each of them is known here, for the other one
  expect(await offered('a.lit', others.of('a.lit'))).toBe(false);
  expect(await offered('a.lit', others.forClients('a.lit'))).toBe(false);
  expect(await offered('private.lit', world.certificates.of('private.lit'))).toBe(false);
  expect(await offered('private.lit', world.certificates.forClients('private.lit'))).toBe(false);
  expect(await offered('a.lit', world.certificates.selfSigned('a.lit'))).toBe(false);
});

it('believes authorities in between, where they may vouch', async () => {
  const { certificates } = world;
  const good = certificates.below('good');
  expect(await offered('a.lit', good.of('a.lit'))).toBe(true);
  expect(await offered('a.lit', good.below('further').of('a.lit'))).toBe(true);
  const last = certificates.below('last', 'critical,CA:TRUE,pathlen:0');
  expect(await offered('a.lit', last.of('a.lit'))).toBe(true);
  expect(await offered('a.lit', last.below('too-far').of('a.lit'))).toBe(false);
  expect(await offered('a.lit', certificates.below('none', 'critical,CA:FALSE').of('a.lit'))).toBe(false);
});

it('believes nobody for having the name of an authority', async () => {
  const stranger = DomainCertificates.make(world.folder, 'stranger');
  const named = stranger.below('named', 'critical,CA:TRUE', 'Tests: authority');
  for (const own of [named.of('a.lit'), named.forClients('a.lit')]) expect(await offered('a.lit', own)).toBe(false);
});
