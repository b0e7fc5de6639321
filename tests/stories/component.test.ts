import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import {
  componentHeader,
  connectComponent,
  handshake,
  SECRET,
  startComponent,
  type TestComponent,
} from '../support/component.ts';
import { startServer, type TestServer } from '../support/server.ts';

const GATEWAY = 'irc.localhost';

const start = (more: object = {}, config: object = {}): Promise<TestServer> =>
  startServer({
    config: { components: [{ domain: GATEWAY, secret: SECRET, ...more }], ...config },
  });

/** The condition of the stream error that comes, once the connection is closed. */
async function streamError(component: TestComponent): Promise<string | undefined> {
  const error = await component.take(({ name }) => name === 'error');
  await component.closed;
  return error.firstChild?.name;
}

describe('a component that connects', () => {
  it('is taken in where it knows the secret', async () => {
    const server = await start();
    const component = connectComponent(server.node, GATEWAY);
    component.send(componentHeader(GATEWAY));
    expect(component.header?.attr('from')).toBe(GATEWAY);
    component.send(handshake(component.header?.attr('id') ?? ''));
    expect((await component.next()).is('handshake', NS.component)).toBe(true);
    const line = server.log.find(({ event }) => event === 'component.connected');
    expect(line).toMatchObject({ component: GATEWAY });
    await component.close();
    expect(server.count(({ componentHandshakes }) => componentHandshakes.with({ outcome: 'completed' }))).toBe(1);
  });

  it.each([
    ['does not know the secret', componentHeader(GATEWAY), '<handshake>0000</handshake>', 'not-authorized'],
    ['says something else first', componentHeader(GATEWAY), `<message to='a' from='b'/>`, 'not-authorized'],
    ['names another domain', componentHeader('icq.localhost'), '', 'host-unknown'],
    ['names one of ours', componentHeader('localhost'), '', 'host-unknown'],
    ['names an address', componentHeader(`a@${GATEWAY}`), '', 'host-unknown'],
    ['speaks another protocol', componentHeader(GATEWAY, NS.client), '', 'invalid-namespace'],
    ['says no XML', 'GET / HTTP/1.1\r\n\r\n', '', 'not-well-formed'],
    ['names none', `<stream:stream xmlns='${NS.component}' xmlns:stream='${NS.streams}'>`, '', 'improper-addressing'],
  ])('is refused where it %s', async (_, header, then, condition) => {
    const server = await start();
    const component = connectComponent(server.node, GATEWAY);
    component.send(header);
    if (then !== '') component.send(then);
    expect(await streamError(component)).toBe(condition);
    expect(component.header).toBeDefined();
  });

  it('is refused where there are as many as there may be, on whatever node', async () => {
    const server = await start({ instances: 1 });
    const first = await startComponent(server, GATEWAY);
    const second = connectComponent(server.nodes.at(-1) ?? server.node, GATEWAY);
    second.send(componentHeader(GATEWAY));
    second.send(handshake(second.header?.attr('id') ?? ''));
    expect(await streamError(second)).toBe('conflict');
    await first.close();
    await server.settled();
    await startComponent(server, GATEWAY);
  });
});

describe('users and a component', () => {
  it('exchange messages and requests, and each error comes once', async () => {
    const server = await start();
    const component = await startComponent(server, GATEWAY);
    const romeo = await server.online('romeo@localhost/orchard');

    romeo.send(`<message to='juliet@${GATEWAY}' id='1' type='chat'><body>Hi &amp; so on</body></message>`);
    const got = await component.nextMessage();
    expect([got.ns, got.attr('from'), got.attr('to'), got.childText('body')]).toEqual([
      NS.component,
      'romeo@localhost/orchard',
      `juliet@${GATEWAY}`,
      'Hi & so on',
    ]);
    component.send(`<message from='juliet@${GATEWAY}/web' to='romeo@localhost' type='chat'><body>Ho</body></message>`);
    const back = await romeo.nextMessage(`juliet@${GATEWAY}/web`);
    expect([back.ns, back.childText('body')]).toEqual([NS.client, 'Ho']);

    const answer = romeo.request('get', `<query xmlns='${NS.discoInfo}'/>`, GATEWAY);
    const asked = await component.nextIq();
    component.send(`<iq type='result' id='${asked.attr('id')}' from='${GATEWAY}' to='${asked.attr('from')}'/>`);
    expect((await answer).attr('type')).toBe('result');

    const refused = await component.ask(GATEWAY, 'nobody@localhost', 'get', `<query xmlns='${NS.version}'/>`);
    expect(refused.child('error')?.firstChild?.name).toBe('service-unavailable');
    const info = await component.ask(GATEWAY, 'localhost', 'get', `<query xmlns='${NS.discoInfo}'/>`);
    expect(info.attr('type')).toBe('result');
    expect(component.inbox).toEqual([]);
    expect(await romeo.sync()).toEqual([]);
  });

  it('subscribe to each other as users of different servers do', async () => {
    const server = await start();
    const component = await startComponent(server, GATEWAY);
    const romeo = await server.online('romeo@localhost/orchard');
    const contact = `juliet@${GATEWAY}`;
    romeo.send(`<presence to='${contact}' type='subscribe'/>`);
    expect((await component.nextPresence()).attr('type')).toBe('subscribe');
    component.send(`<presence from='${contact}' to='romeo@localhost' type='subscribed'/>`);
    component.send(`<presence from='${contact}/web' to='romeo@localhost'><show>away</show></presence>`);
    component.send(`<presence from='${contact}' to='romeo@localhost' type='subscribe'/>`);
    const seen = await romeo.take(({ name, ...each }) => name === 'presence' && each.children.length > 0);
    expect(seen.childText('show')).toBe('away');
    await romeo.take((each) => each.attr('type') === 'subscribe');
    romeo.send(`<presence to='${contact}' type='subscribed'/>`);
    await component.take((each) => each.attr('type') === 'subscribed');
    expect((await component.nextPresence('romeo@localhost/orchard')).attr('type')).toBeUndefined();

    // whoever asks is told, and so is whoever has subscribed when somebody goes
    component.send(`<presence from='${contact}' to='romeo@localhost' type='probe'/>`);
    expect((await component.nextPresence('romeo@localhost/orchard')).attr('to')).toBe(contact);
    await romeo.close();
    expect((await component.nextPresence('romeo@localhost/orchard')).attr('type')).toBe('unavailable');
  });

  it('learn of each other’s absence', async () => {
    const server = await start();
    const romeo = await server.online('romeo@localhost/orchard');
    const errorTo = async (text: string) => {
      romeo.send(text);
      const error = (await romeo.take((each) => each.attr('type') === 'error')).child('error');
      return [error?.firstChild?.name, error?.attr('type')];
    };
    const absent = ['service-unavailable', 'wait'];
    expect(await errorTo(`<message to='juliet@${GATEWAY}'><body>Hi</body></message>`)).toEqual(absent);
    expect(await errorTo(`<iq to='${GATEWAY}' type='get' id='1'><a xmlns='urn:a'/></iq>`)).toEqual(absent);
    expect(await errorTo(`<presence to='#a@${GATEWAY}/nick'><x xmlns='${NS.muc}'/></presence>`)).toEqual(absent);
    romeo.send(`<presence to='juliet@${GATEWAY}' type='subscribe'/><message to='${GATEWAY}' type='error'/>`);
    const rest = await romeo.sync();
    expect(rest.filter((each) => each.attr('type') === 'error')).toEqual([]);
  });
});

describe('a component that is not as it should be', () => {
  it.each([
    ['romeo@localhost', 'invalid-from'],
    ['localhost', 'invalid-from'],
    ['a@icq.localhost', 'invalid-from'],
    [`a@sub.${GATEWAY}`, 'invalid-from'],
    ['@', 'invalid-from'],
    [undefined, 'improper-addressing'],
  ])('cannot speak for %s', async (from, condition) => {
    const server = await start();
    const component = await startComponent(server, GATEWAY);
    const romeo = await server.online('romeo@localhost/orchard');
    const sender = from === undefined ? '' : ` from='${from}'`;
    component.send(`<message${sender} to='romeo@localhost'><body>Hi</body></message>`);
    expect(await streamError(component)).toBe(condition);
    expect(await romeo.sync()).toEqual([]);
  });

  it.each([
    [`<message from='a@${GATEWAY}' id='1'/>`, 'bad-request'],
    [`<message from='a@${GATEWAY}' to='@' id='1'/>`, 'jid-malformed'],
    [`<iq from='a@${GATEWAY}' to='localhost' type='get' id='1'/>`, 'bad-request'],
    [`<presence from='a@${GATEWAY}' to='localhost' type='nonsense' id='1'/>`, 'bad-request'],
  ])('is told about %s, and goes on', async (text, condition) => {
    const server = await start();
    const component = await startComponent(server, GATEWAY);
    component.send(text);
    const error = await component.next();
    expect([error.ns, error.attr('to'), error.attr('id')]).toEqual([NS.component, `a@${GATEWAY}`, '1']);
    expect(error.child('error')?.firstChild?.name).toBe(condition);
    const pong = await component.ask(GATEWAY, 'localhost', 'get', `<ping xmlns='${NS.ping}'/>`);
    expect(pong.name).toBe('iq');
  });

  it.each([
    ['garbage', '<<<', 'not-well-formed'],
    ['something else', `<x xmlns='urn:a'/>`, 'unsupported-stanza-type'],
    ['text', 'Hi<a/>', 'bad-format'],
    ['more than there may be', `<message from='a@${GATEWAY}' to='b'><body>${'x'.repeat(300_000)}`, 'policy-violation'],
    ['too deep', `<message from='a@${GATEWAY}' to='b'>${'<a>'.repeat(100)}`, 'policy-violation'],
  ])('is cut off where it sends %s, and nobody else feels it', async (_, text, condition) => {
    const server = await start();
    const component = await startComponent(server, GATEWAY);
    const romeo = await server.online('romeo@localhost/orchard');
    component.send(`<message from='a@${GATEWAY}' to='romeo@localhost'><body>Before</body></message>${text}`);
    expect(await streamError(component)).toBe(condition);
    expect((await romeo.nextMessage()).childText('body')).toBe('Before');
    expect(await romeo.sync()).toEqual([]);
    await startComponent(server, GATEWAY);
  });

  it('does not stay without proving who it is', async () => {
    const server = await start({}, { stream: { authenticateTimeoutSeconds: 1 } });
    const component = connectComponent(server.node, GATEWAY);
    component.send(componentHeader(GATEWAY));
    expect(await streamError(component)).toBe('connection-timeout');
    expect(server.exceeded('authenticate-time')).toBe(1);
  });

  it('waits in vain for an answer to an error', async () => {
    const server = await start();
    const component = await startComponent(server, GATEWAY);
    component.send(`<iq from='${GATEWAY}' to='@' type='error' id='1'/>`);
    component.send(`<iq from='${GATEWAY}' to='localhost' type='result' id='1'/>`);
    component.send(`<message from='${GATEWAY}' to='nobody@localhost' type='error'/>`);
    await component.ask(GATEWAY, 'localhost', 'get', `<query xmlns='${NS.discoInfo}'/>`);
    expect(component.inbox).toEqual([]);
  });
});

describe('service discovery', () => {
  it('shows components that are connected, with their names', async () => {
    const components = [
      { domain: GATEWAY, secret: SECRET, name: 'Gateway to IRC' },
      { domain: 'hidden.localhost', secret: SECRET, listed: false },
      { domain: 'elsewhere.example', secret: SECRET },
      { domain: 'absent.localhost', secret: SECRET },
    ];
    const server = await startServer({ config: { components } });
    for (const { domain } of components.slice(0, 3)) await startComponent(server, domain);
    const romeo = await server.client('romeo@localhost/orchard');
    const items = (await romeo.request('get', `<query xmlns='${NS.discoItems}'/>`, 'localhost')).firstChild;
    expect(items?.elements.map((item) => [item.attr('jid'), item.attr('name')])).toEqual([
      [GATEWAY, 'Gateway to IRC'],
      ['elsewhere.example', undefined],
    ]);
  });
});
