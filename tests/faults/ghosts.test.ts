import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { presenceOf, push, send } from '../support/contacts.ts';
import { appearOver } from '../support/network.ts';
import { type ClusterProcess, startThreeNodes } from '../support/three-nodes.ts';

/** By when nobody is seen any more whose node is gone, and who cannot come back. */
const LATEST_MS = 15_000;
/** Of sessions whose clients may come back. */
const RESUMPTION_SECONDS = 3;

/** Has two clients see each other. */
async function befriend(one: TestClient, other: TestClient): Promise<void> {
  const bare = (client: TestClient) => client.jid.split('/')[0] as string;
  for (const client of [one, other]) await client.request('get', `<query xmlns='${NS.roster}'/>`);
  for (const [asks, agrees] of [
    [one, other],
    [other, one],
  ] as const) {
    send(asks, 'subscribe', bare(agrees));
    await presenceOf(agrees, 'subscribe', bare(asks));
    send(agrees, 'subscribed', bare(asks));
    await presenceOf(asks, 'subscribed', bare(agrees));
    await presenceOf(asks, undefined, agrees.jid);
  }
  await push(one);
}

it('nobody is seen for long whose node was killed: at once who cannot come back, then who does not', async () => {
  const modules = { 'stream-management': { resumptionSeconds: RESUMPTION_SECONDS } };
  const accounts = ['romeo@localhost', 'juliet@localhost', 'nurse@localhost'];
  const nodes = await startThreeNodes(accounts, { modules });
  const [first, second] = nodes as [ClusterProcess, ClusterProcess];
  const romeo = await appearOver(first.port, 'romeo@localhost/orchard');
  const juliet = await appearOver(second.port, 'juliet@localhost/balcony');
  const nurse = await appearOver(second.port, 'nurse@localhost/hall');
  nurse.send(`<enable xmlns='${NS.streamManagement}' resume='true'/>`);
  const enabled = await nurse.take(({ name }) => name === 'enabled');
  expect(enabled.attr('max')).toBe(String(RESUMPTION_SECONDS));
  await befriend(romeo, juliet);
  await befriend(romeo, nurse);

  await second.node.kill();
  const killedAt = performance.now();
  const after = () => performance.now() - killedAt;
  const goneAfter = async ({ jid }: TestClient): Promise<number> => {
    // a client of the tests has less patience than is needed here
    while (after() < LATEST_MS + RESUMPTION_SECONDS * 1000) {
      const seen = await presenceOf(romeo, 'unavailable', jid).catch(() => undefined);
      if (seen !== undefined) return after();
    }
    return Number.POSITIVE_INFINITY;
  };
  const [forJuliet, forNurse] = await Promise.all([goneAfter(juliet), goneAfter(nurse)]);
  expect(forJuliet).toBeLessThan(LATEST_MS);
  expect(forNurse).toBeGreaterThan(RESUMPTION_SECONDS * 1000);
  expect(forNurse).toBeLessThan(RESUMPTION_SECONDS * 1000 + LATEST_MS);
});
