import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import { SECRET, startComponent } from '../../../../../tests/support/component.ts';
import { startServer } from '../../../../../tests/support/server.ts';

const GATEWAY = 'irc.localhost';
const ROSTER = `<query xmlns='${NS.roster}'/>`;

async function start(privileges: object) {
  const server = await startServer({
    nodes: 1,
    config: { components: [{ domain: GATEWAY, secret: SECRET, privileges }] },
  });
  const romeo = await server.online('romeo@localhost/orchard');
  await romeo.request('get', ROSTER);
  const component = await startComponent(server, GATEWAY);
  const told = await component.nextMessage('localhost');
  return { server, romeo, component, told };
}

const set = (jid: string, more = '') => `<query xmlns='${NS.roster}'><item jid='${jid}'${more}/></query>`;
const conditionOf = (answer: { child(name: string): { firstChild?: { name: string } | undefined } | undefined }) =>
  answer.child('error')?.firstChild?.name;

describe('a component with privileges', () => {
  it('reads and changes rosters, and is told of changes', async () => {
    const { romeo, component, told } = await start({ roster: 'both' });
    expect(told.firstChild?.child('perm')?.attr('type')).toBe('both');
    await component.ask(GATEWAY, 'romeo@localhost', 'set', set('a@example.org', ` subscription='both' name='A'`));
    const pushed = await romeo.nextIq();
    const item = pushed.firstChild?.firstChild;
    expect([item?.attr('jid'), item?.attr('name'), item?.attr('subscription')]).toEqual(['a@example.org', 'A', 'none']);
    expect((await component.nextIq('romeo@localhost')).firstChild?.firstChild?.attr('jid')).toBe('a@example.org');

    // for its own contacts it may speak
    await component.ask(GATEWAY, 'romeo@localhost', 'set', set(`b@${GATEWAY}`, ` subscription='both'`));
    expect((await romeo.nextIq()).firstChild?.firstChild?.attr('subscription')).toBe('both');
    expect((await component.nextPresence('romeo@localhost/orchard')).attr('to')).toBe(`b@${GATEWAY}`);

    await romeo.request('set', set('a@example.org', ` subscription='remove'`));
    await component.take((each) => each.firstChild?.firstChild?.attr('subscription') === 'remove');
    const whole = await component.ask(GATEWAY, 'romeo@localhost', 'get', ROSTER);
    expect(whole.firstChild?.elements.map((each) => each.attr('jid'))).toEqual([`b@${GATEWAY}`]);
    expect(conditionOf(await component.ask(GATEWAY, 'nobody@localhost', 'get', ROSTER))).toBe('item-not-found');
  });

  it('does what it may alone', async () => {
    const { server, component } = await start({ roster: 'get', rosterPushes: false });
    expect(conditionOf(await component.ask(GATEWAY, 'romeo@localhost', 'set', set('a@b')))).toBe('forbidden');
    expect((await component.ask(GATEWAY, 'romeo@localhost', 'get', ROSTER)).attr('type')).toBe('result');
    // only as itself
    expect(conditionOf(await component.ask(`a@${GATEWAY}`, 'romeo@localhost', 'get', ROSTER))).toBe(
      'service-unavailable',
    );
    const said = `<message xmlns='jabber:client' from='romeo@localhost' to='juliet@localhost'/>`;
    component.send(
      `<message from='${GATEWAY}' to='localhost' id='m'><privilege xmlns='${NS.privilege}'>` +
        `<forwarded xmlns='${NS.forward}'>${said}</forwarded></privilege></message>`,
    );
    expect(conditionOf(await component.nextMessage())).toBe('forbidden');
    await server.online('juliet@localhost/balcony');
    const pong = await component.ask(GATEWAY, 'localhost', 'get', `<query xmlns='${NS.discoInfo}'/>`);
    expect([pong.attr('type'), component.inbox]).toEqual(['result', []]);
  });

  it('sends messages in the name of users and of the server, of nobody else', async () => {
    const { server, romeo, component } = await start({ message: 'outgoing' });
    const juliet = await server.online('juliet@localhost/balcony');
    const send = (from: string) =>
      component.send(
        `<message from='${GATEWAY}' to='localhost' id='m'><privilege xmlns='${NS.privilege}'><forwarded xmlns='${NS.forward}'>` +
          `<message xmlns='jabber:client' from='${from}' to='juliet@localhost' type='chat'><body>Hi</body></message>` +
          `</forwarded></privilege></message>`,
      );
    for (const from of ['romeo@localhost', 'localhost']) {
      send(from);
      expect((await juliet.nextMessage(from)).childText('body')).toBe('Hi');
    }
    for (const from of ['romeo@localhost/orchard', 'a@example.org', GATEWAY]) {
      send(from);
      expect(conditionOf(await component.nextMessage())).toBe('forbidden');
    }
    expect([await romeo.sync(), await juliet.sync()]).toEqual([[], []]);
  });

  it('sends requests in the name of users', async () => {
    const { component } = await start({ iq: [{ namespace: NS.private }] });
    const privileged = (inner: string, type: 'get' | 'set') =>
      component.ask(
        GATEWAY,
        'romeo@localhost',
        type,
        `<privileged_iq xmlns='${NS.privilege}'><iq xmlns='jabber:client' type='${type}' id='i'>${inner}</iq></privileged_iq>`,
      );
    const answer = await privileged(`<query xmlns='${NS.private}'><a xmlns='urn:a'>kept</a></query>`, 'set');
    const inside = answer.firstChild?.child('forwarded', NS.forward)?.child('iq', NS.client);
    expect([inside?.attr('type'), inside?.attr('id'), inside?.attr('to')]).toEqual(['result', 'i', 'romeo@localhost']);
    const read = await privileged(`<query xmlns='${NS.private}'><a xmlns='urn:a'/></query>`, 'get');
    expect(String(read)).toContain('kept');
    expect(conditionOf(await privileged(`<query xmlns='${NS.last}'/>`, 'get'))).toBe('forbidden');
  });

  it('is told who comes and goes, and who is there already', async () => {
    const { server, component } = await start({ presence: 'managedEntity' });
    expect((await component.nextPresence('romeo@localhost/orchard')).attr('to')).toBe(GATEWAY);
    const juliet = await server.online('juliet@localhost/balcony');
    await component.nextPresence('juliet@localhost/balcony');
    juliet.send('<presence><show>away</show></presence>');
    await juliet.sync();
    await juliet.close();
    expect((await component.nextPresence('juliet@localhost/balcony')).attr('type')).toBe('unavailable');
    expect(component.inbox).toEqual([]);
  });
});
