import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import type { TestClient } from './client.ts';
import type { TestServer } from './server.ts';

/** Asks for the roster, and thereby for roster pushes; gives the answer's query, or undefined where it is empty. */
export async function roster(client: TestClient, ver?: string): Promise<Element | undefined> {
  const attribute = ver === undefined ? '' : ` ver='${ver}'`;
  const answer = await client.request('get', `<query xmlns='${NS.roster}'${attribute}/>`);
  return answer.child('query', NS.roster);
}

/** Sends a roster set of these items; gives the answer. */
export function setRoster(client: TestClient, ...items: string[]): Promise<Element> {
  return client.request('set', `<query xmlns='${NS.roster}'>${items.join('')}</query>`);
}

export function send(client: TestClient, type: string, to: string, content = ''): void {
  client.send(`<presence type='${type}' to='${to}'>${content}</presence>`);
}

/** The next presence of this type from this address. */
export const presenceOf = (client: TestClient, type: string | undefined, from: string): Promise<Element> =>
  client.take(
    (element) => element.name === 'presence' && element.attr('type') === type && element.attr('from') === from,
  );

const queryOf = (element: Element): Element | undefined =>
  element.name === 'iq' && element.attr('type') === 'set' ? element.child('query', NS.roster) : undefined;

/** The next roster push; its item. */
export async function push(client: TestClient): Promise<Element> {
  const element = await client.take((found) => queryOf(found) !== undefined);
  return queryOf(element)?.firstChild as Element;
}

/** An item in few words: `juliet@localhost both`, `… none ask approved`. */
export function words(item: Element): string {
  const marks = [item.attr('ask') && 'ask', item.attr('approved') && 'approved'].filter(Boolean);
  return [item.attr('jid'), item.attr('subscription'), ...marks].join(' ');
}

/** A client that has sent presence; what this brought about waits to be taken. */
export async function appear(server: TestServer, jid: string, presence = '<presence/>'): Promise<TestClient> {
  const client = await server.client(jid);
  client.send(presence);
  return client;
}

/** Everything that had come by now, in few words. */
export async function arrived(client: TestClient): Promise<string[]> {
  await client.request('get', `<vCard xmlns='${NS.vcard}'/>`); // what waited for the keyspace before it is done
  return (await client.sync()).map((element) => {
    const query = queryOf(element);
    if (query) return `push ${words(query.firstChild as Element)}`;
    return [element.name, element.attr('type') ?? 'available', element.attr('from')].join(' ');
  });
}

/** Lets two clients, both available, subscribe to each other; what this brings about is taken out of their inboxes. */
export async function befriend(one: TestClient, other: TestClient): Promise<void> {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    send(from, 'subscribe', to.bare);
    await presenceOf(to, 'subscribe', from.bare);
    send(to, 'subscribed', from.bare);
    await presenceOf(from, undefined, to.jid);
  }
  await one.sync();
  await other.sync();
}
