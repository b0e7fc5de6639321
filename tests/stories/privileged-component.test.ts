import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { SECRET, startComponent } from '../support/component.ts';
import { startServer } from '../support/server.ts';

const GATEWAY = 'irc.localhost';

it('a component with privileges acts for users, wherever they are', async () => {
  const privileges = {
    roster: 'both',
    message: 'outgoing',
    presence: 'managedEntity',
    iq: [{ namespace: NS.version }],
  };
  const server = await startServer({ config: { components: [{ domain: GATEWAY, secret: SECRET, privileges }] } });
  const romeo = await server.online('romeo@localhost/orchard');
  const juliet = await server.online('juliet@localhost/balcony');
  await server.settled();
  const component = await startComponent(server, GATEWAY, server.nodes.at(-1));
  const told = await component.nextMessage('localhost');
  expect(told.firstChild?.elements.map((each) => each.attr('access'))).toEqual(['roster', 'message', 'presence', 'iq']);
  for (const { jid } of [romeo, juliet]) expect((await component.nextPresence(jid)).attr('to')).toBe(GATEWAY);

  for (const client of [romeo, juliet]) {
    await client.request('get', `<query xmlns='${NS.roster}'/>`);
    const item = `<item jid='a@${GATEWAY}' subscription='both'/>`;
    await component.ask(GATEWAY, client.bare, 'set', `<query xmlns='${NS.roster}'>${item}</query>`);
    expect((await client.nextIq()).firstChild?.firstChild?.attr('subscription')).toBe('both');
    expect((await component.nextIq(client.bare)).firstChild?.firstChild?.attr('jid')).toBe(`a@${GATEWAY}`);
    await component.take((each) => each.attr('from') === client.jid && each.attr('to') === `a@${GATEWAY}`);
  }
  romeo.send(`<message to='a@${GATEWAY}'><body>Hi</body></message>`);
  expect((await component.nextMessage()).childText('body')).toBe('Hi');

  juliet.send(`<presence to='${romeo.bare}'/>`); // who sees her may ask her
  await juliet.sync();
  const inner = `<iq xmlns='jabber:client' type='get' id='i' to='${juliet.jid}'><query xmlns='${NS.version}'/></iq>`;
  const answered = component.ask(
    GATEWAY,
    romeo.bare,
    'get',
    `<privileged_iq xmlns='${NS.privilege}'>${inner}</privileged_iq>`,
  );
  const asked = await juliet.nextIq(romeo.bare);
  juliet.send(`<iq type='result' id='${asked.attr('id')}' to='${romeo.bare}'><query xmlns='${NS.version}'/></iq>`);
  const answer = (await answered).firstChild?.child('forwarded', NS.forward)?.child('iq', NS.client);
  expect([answer?.attr('from'), answer?.attr('id'), answer?.attr('type')]).toEqual([juliet.jid, 'i', 'result']);

  await juliet.close();
  const gone = await component.take((each) => each.attr('to') === GATEWAY && each.attr('type') === 'unavailable');
  expect(gone.attr('from')).toBe(juliet.jid);
});

it('a component answers what is delegated to it, wherever it is asked', async () => {
  const delegation = { namespaces: [{ namespace: NS.pubsub }] };
  const server = await startServer({ config: { components: [{ domain: GATEWAY, secret: SECRET, delegation }] } });
  const component = await startComponent(server, GATEWAY, server.nodes.at(-1));
  for (const name of ['romeo', 'juliet', 'nurse']) {
    const client = await server.online(`${name}@localhost/desk`);
    await server.settled();
    const answered = client.request('get', `<pubsub xmlns='${NS.pubsub}'/>`);
    const asked = await component.nextIq('localhost');
    const inner = asked.firstChild?.child('forwarded', NS.forward)?.child('iq', NS.client);
    component.send(
      `<iq type='result' id='${asked.attr('id')}' from='${GATEWAY}' to='localhost'><delegation xmlns='${NS.delegation}'>` +
        `<forwarded xmlns='${NS.forward}'><iq xmlns='jabber:client' type='result' id='${inner?.attr('id')}' ` +
        `to='${client.jid}'><pubsub xmlns='${NS.pubsub}'>${name}</pubsub></iq></forwarded></delegation></iq>`,
    );
    expect((await answered).firstChild?.text).toBe(name);
  }
});
