import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { describe, expect, it } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { SECRET, startComponent, type TestComponent } from '../support/component.ts';
import { startServer, type TestServer } from '../support/server.ts';

const GATEWAY = 'irc.localhost';
const USERS = Array.from({ length: 24 }, (_, index) => `user${index}@localhost`);

const start = (more: object = {}, config: object = {}): Promise<TestServer> =>
  startServer({
    config: {
      components: [{ domain: GATEWAY, secret: SECRET, ...more }],
      limits: { stanzas: { perSecond: 0 }, ...config },
    },
  });

/** As many instances as this, on one node after the other. */
async function startInstances(server: TestServer, count: number): Promise<TestComponent[]> {
  const instances: TestComponent[] = [];
  for (let i = 0; i < count; i++) {
    instances.push(await startComponent(server, GATEWAY, server.nodes[i % server.nodes.length]));
  }
  return instances;
}

/** Who has sent what came to a component, with what they said, in the order in which it came. */
const said = (component: TestComponent): string[] =>
  component.inbox.splice(0).map((each) => `${each.attr('from')?.split('/')[0]} ${each.childText('body') ?? each.name}`);

const senders = (component: TestComponent): Set<string> =>
  new Set(said(component).map((each) => each.split(' ')[0] as string));

describe('several instances of a component', () => {
  it('share the users, each of whom has one, wherever they are connected', async () => {
    const server = await start();
    const instances = await startInstances(server, 3);
    for (const user of USERS) {
      for (const resource of ['phone', 'desk']) {
        const client = await server.client(`${user}/${resource}`);
        for (const n of [1, 2, 3])
          client.send(`<message to='a${n}@${GATEWAY}'><body>${resource} ${n}</body></message>`);
      }
    }
    await server.settled();
    const all = instances.map((instance) => said(instance));
    expect(all.flat()).toHaveLength(USERS.length * 6);
    const shares = all.map((lines) => new Set(lines.map((line) => line.split(' ')[0])));
    // who gets whom is left to chance, but that one gets all
    expect(shares.filter(({ size }) => size > 0).length).toBeGreaterThan(1);
    expect(shares.reduce((sum, { size }) => sum + size, 0)).toBe(USERS.length);
    // what one client has said comes in its order; two clients of a user may overtake each other
    for (const said of USERS.flatMap((user) => [`${user} phone`, `${user} desk`])) {
      const own = all.flat().filter((line) => line.startsWith(`${said} `));
      expect(own).toEqual([1, 2, 3].map((n) => `${said} ${n}`));
    }
  });

  it('take over from one that goes, and nobody else changes', async () => {
    const server = await start();
    const instances = await startInstances(server, 3);
    const clients: TestClient[] = [];
    for (const user of USERS) clients.push(await server.client(`${user}/phone`));
    const sayAll = async () => {
      for (const client of clients) client.send(`<message to='a@${GATEWAY}'><body>Hi</body></message>`);
      await server.settled();
      return instances.map((instance) => senders(instance));
    };
    const before = await sayAll();
    instances[1]?.break();
    await server.settled();
    const after = await sayAll();
    expect(after[1]?.size).toBe(0);
    expect((after[0]?.size ?? 0) + (after[2]?.size ?? 0)).toBe(USERS.length);
    for (const i of [0, 2]) expect(before[i]?.difference(after[i] as Set<string>).size).toBe(0);
    for (const i of [0, 2]) instances[i]?.break();
    await server.settled();
    const [client] = clients;
    client?.send(`<message to='a@${GATEWAY}' id='1'><body>Hi</body></message>`);
    expect((await client?.nextMessage())?.child('error')?.firstChild?.name).toBe('service-unavailable');
  });

  it('go to other nodes when theirs is drained', async () => {
    const server = await start();
    const instances = await startInstances(server, 2);
    const others = server.nodes.length > 1;
    expect(server.node.drain()).toBe(others);
    if (others) await instances[0]?.closed;
    await server.settled();
    await server.nodes
      .at(-1)
      ?.router.route(
        stanzaFromText(Buffer.from(`<message from='romeo@localhost' to='a@${GATEWAY}'><body>Hi</body></message>`)),
      );
    const heard = await Promise.race(instances.slice(others ? 1 : 0).map((each) => each.nextMessage()));
    expect(heard.childText('body')).toBe('Hi');
    for (const instance of instances) instance.break();
  });

  it('lets each of them answer and be answered', async () => {
    const server = await start();
    const instances = await startInstances(server, 3);
    const romeo = await server.online('romeo@localhost/orchard');
    for (const [index, instance] of instances.entries()) {
      instance.send(`<message from='a@${GATEWAY}' to='romeo@localhost'><body>${index}</body></message>`);
      expect((await romeo.nextMessage()).childText('body')).toBe(String(index));
    }
    const answer = romeo.request('get', `<query xmlns='${NS.version}'/>`, GATEWAY);
    const asked = (await Promise.race(instances.map(async (each) => [each, await each.nextIq()] as const))) as [
      TestComponent,
      Element,
    ];
    asked[0].send(`<iq type='result' id='${asked[1].attr('id')}' from='${GATEWAY}' to='romeo@localhost/orchard'/>`);
    expect((await answer).attr('type')).toBe('result');
    for (const instance of instances) instance.break();
  });
});

describe('a component that reads slowly', () => {
  it('gets what waits once it reads, in its order', async () => {
    const server = await start();
    const [component] = await startInstances(server, 1);
    const romeo = await server.online('romeo@localhost/orchard');
    (component as TestComponent).transport.blocked = true;
    for (let n = 0; n < 50; n++) romeo.send(`<message to='a@${GATEWAY}'><body>${n}</body></message>`);
    await romeo.sync();
    expect(component?.inbox).toEqual([]);
    (component as TestComponent).transport.blocked = false;
    await component?.take(({ children }) => String(children).includes('>49<'));
    expect(said(component as TestComponent)).toEqual(Array.from({ length: 49 }, (_, n) => `romeo@localhost ${n}`));
  });

  it('takes no more than may wait: whoever sends then is told, and nobody else feels it', async () => {
    const server = await start({}, { components: { queueStanzas: 3 } });
    const [component] = await startInstances(server, 1);
    const romeo = await server.online('romeo@localhost/orchard');
    const juliet = await server.online('juliet@localhost/balcony');
    (component as TestComponent).transport.blocked = true;
    for (let n = 0; n < 5; n++) {
      const stanza = n % 2 === 0 ? `<message to='a@${GATEWAY}' id='${n}'/>` : `<presence to='a@${GATEWAY}' id='${n}'/>`;
      const client = await server.client(`user${n}@localhost/x`);
      client.send(stanza);
      if (n < 3) continue;
      const error = await client.take((each) => each.attr('type') === 'error');
      expect(error.child('error')?.firstChild?.name).toBe('resource-constraint');
    }
    romeo.send(`<message to='juliet@localhost'><body>Hi</body></message>`);
    expect((await juliet.nextMessage()).childText('body')).toBe('Hi');
    expect(server.exceeded('component-queue-stanzas')).toBe(2);
    (component as TestComponent).transport.blocked = false;
    for (let n = 0; n < 3; n++) await component?.next();
  });

  it('is cut off in time, and what waited goes to another one, or back as an error', async () => {
    const server = await start({}, { output: { stalledSeconds: 1 } });
    const [slow] = await startInstances(server, 1);
    const romeo = await server.online('romeo@localhost/orchard');
    (slow as TestComponent).transport.blocked = true;
    for (let n = 0; n < 3; n++) romeo.send(`<message to='a@${GATEWAY}' id='${n}'><body>Hi</body></message>`);
    await slow?.closed;
    for (let n = 0; n < 3; n++) {
      const error = await romeo.nextMessage();
      expect([error.attr('id'), error.child('error')?.firstChild?.name]).toEqual([String(n), 'service-unavailable']);
    }
    expect(server.exceeded('output-stalled')).toBe(1);
  });
});

describe('a component that writes too fast', () => {
  it('is not read for a while', async () => {
    const server = await start({}, { components: { perSecond: 100, burst: 10 } });
    const [component] = await startInstances(server, 1);
    const romeo = await server.online('romeo@localhost/orchard');
    const message = (n: number) => `<message from='a@${GATEWAY}' to='romeo@localhost'><body>${n}</body></message>`;
    const before = performance.now();
    component?.send(Array.from({ length: 30 }, (_, n) => message(n)).join(''));
    for (let n = 0; n < 30; n++) expect((await romeo.nextMessage()).childText('body')).toBe(String(n));
    expect(performance.now() - before).toBeGreaterThan(150);
    expect(server.exceeded('component-rate')).toBeGreaterThan(0);
  });
});

describe('a gateway with subdomains', () => {
  it('has 500 contacts of one user on domains below its own', async () => {
    const server = await start({ subdomains: true });
    const [component] = (await startInstances(server, 1)) as [TestComponent];
    const romeo = await server.online('romeo@localhost/orchard');
    const contacts = Array.from({ length: 500 }, (_, n) => `friend${n}@net${n % 5}.${GATEWAY}`);
    for (const contact of contacts) romeo.send(`<presence to='${contact}' type='subscribe'/>`);
    for (const contact of contacts) {
      await component.take((each) => each.attr('to') === contact && each.attr('type') === 'subscribe');
      component.send(
        `<presence from='${contact}' to='romeo@localhost' type='subscribed'/>` +
          `<presence from='${contact}/irc' to='romeo@localhost'/>` +
          `<presence from='${contact}' to='romeo@localhost' type='subscribe'/>`,
      );
      await romeo.nextPresence(`${contact}/irc`);
      await romeo.take((each) => each.attr('from') === contact && each.attr('type') === 'subscribe');
      romeo.send(`<presence to='${contact}' type='subscribed'/>`);
      await component.take((each) => each.attr('to') === contact && each.attr('type') === 'subscribed');
    }
    await server.settled();
    component.inbox.splice(0);
    romeo.send('<presence><show>away</show></presence>');
    const told = new Set<string | undefined>();
    while (told.size < 500) told.add((await component.take((each) => each.childText('show') === 'away')).attr('to'));
    expect(told).toEqual(new Set(contacts));
    // and each of them writes
    const messages = contacts.map((from) => `<message from='${from}' to='romeo@localhost'><body>Hi</body></message>`);
    component.send(messages.join(''));
    for (const _ of contacts) await romeo.nextMessage();
    expect(server.exceeded('strangers')).toBe(0);
  });
});
