import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { SECRET, startComponent } from '../../../../../tests/support/component.ts';
import { startServer } from '../../../../../tests/support/server.ts';

const PUBSUB = 'pubsub.localhost';

async function start() {
  const delegation = { namespaces: [{ namespace: NS.pubsub }] };
  const server = await startServer({
    nodes: 1,
    config: { components: [{ domain: PUBSUB, secret: SECRET, delegation }] },
  });
  const romeo = await server.online('romeo@localhost/orchard');
  const component = await startComponent(server, PUBSUB);
  return { server, romeo, component };
}

it('has the component answer in place of the server, and nobody else waits for it', async () => {
  const { romeo, component } = await start();
  const told = await component.nextMessage('localhost');
  expect(told.firstChild?.child('delegated')?.attr('namespace')).toBe(NS.pubsub);

  const answered = romeo.request('set', `<pubsub xmlns='${NS.pubsub}'><publish node='tune'/></pubsub>`);
  const asked = await component.nextIq('localhost');
  const inner = asked.firstChild?.child('forwarded', NS.forward)?.child('iq', NS.client);
  expect([asked.attr('type'), inner?.attr('from'), inner?.attr('to')]).toEqual([
    'set',
    'romeo@localhost/orchard',
    'romeo@localhost',
  ]);
  expect(inner?.firstChild?.child('publish')?.attr('node')).toBe('tune');
  expect((await romeo.request('get', `<ping xmlns='${NS.ping}'/>`, 'localhost')).attr('type')).toBe('result');
  component.send(
    `<iq type='result' id='${asked.attr('id')}' from='${PUBSUB}' to='localhost'><delegation xmlns='${NS.delegation}'>` +
      `<forwarded xmlns='${NS.forward}'><iq xmlns='jabber:client' type='result' id='${inner?.attr('id')}' ` +
      `to='romeo@localhost/orchard'><pubsub xmlns='${NS.pubsub}'/></iq></forwarded></delegation></iq>`,
  );
  const answer = await answered;
  expect([answer.attr('type'), answer.attr('from'), answer.firstChild?.ns]).toEqual([
    'result',
    'romeo@localhost',
    NS.pubsub,
  ]);
});

it('says that it is not there where the component is not, or fails', async () => {
  const { romeo, component } = await start();
  const ask = () => romeo.request('get', `<pubsub xmlns='${NS.pubsub}'/>`, 'localhost');
  const failed = ask();
  const asked = await component.nextIq('localhost');
  component.send(`<iq type='error' id='${asked.attr('id')}' from='${PUBSUB}' to='localhost'/>`);
  expect((await failed).child('error')?.firstChild?.name).toBe('service-unavailable');
  await component.close();
  expect((await ask()).child('error')?.firstChild?.name).toBe('service-unavailable');
});
