import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import type { TestClient } from './client.ts';
import type { TestServer } from './server.ts';

const SM = NS.streamManagement;

/** Whether it is an answer about stream management. */
const isAnswer = ({ ns, name }: Element): boolean => ns === SM && name !== 'r';

/** Enables stream management; gives the answer. */
export function enable(client: TestClient, attributes = `resume='true'`): Promise<Element> {
  client.send(`<enable xmlns='${SM}' ${attributes}/>`);
  return client.take(isAnswer);
}

/** A client that is available and whose session can be resumed by this name; `got` counts its stanzas. */
export async function resumable(server: TestServer, jid: string) {
  const client = await server.client(jid);
  const id = (await enable(client)).attr('id') ?? '';
  const got = counted(client);
  client.send('<presence/>');
  await client.nextPresence(jid);
  return { client, id, got };
}

/** Counts the stanzas that a client gets from now on. */
function counted(client: TestClient): () => number {
  let count = 0;
  const onElement = client.onElement.bind(client);
  client.onElement = (element) => {
    if (element.ns === NS.client) count++;
    onElement(element);
  };
  return () => count;
}

/** Resumes a session on a new connection; gives the client and the answer. */
export async function resume(server: TestServer, jid: string, id: string, h: number) {
  const client = await server.authenticated(jid);
  client.jid = jid;
  client.send(`<resume xmlns='${SM}' previd='${id}' h='${h}'/>`);
  return { client, answer: await client.take(isAnswer) };
}

/** Asks how much the server has handled. */
export async function handled(client: TestClient): Promise<string | undefined> {
  client.send(`<r xmlns='${SM}'/>`);
  return (await client.take(({ ns, name }) => ns === SM && name === 'a')).attr('h');
}

export const acknowledge = (client: TestClient, h: number): void => client.send(`<a xmlns='${SM}' h='${h}'/>`);

/** What came by now, in few words: the body of a message, else the name and the type; no requests for acknowledgement. */
export async function heard(client: TestClient): Promise<string[]> {
  await client.request('get', `<vCard xmlns='${NS.vcard}'/>`); // what waited for the keyspace before it is done
  return (await client.sync()).filter(({ ns }) => ns !== SM).map(words);
}

export const words = (stanza: Element): string =>
  stanza.childText('body') ?? [stanza.name, stanza.attr('type') ?? '', stanza.attr('from')].join(' ').trim();

export const say = (client: TestClient, to: string, text: string, type = 'chat'): void =>
  client.send(`<message to='${to}' type='${type}' id='${text}'><body>${text}</body></message>`);

/** The session's time is over. Resolves when everything that this brings about is done. */
export async function expire(server: TestServer, jid: string): Promise<void> {
  await server.settled();
  server.sessionOf(jid).finish('its client did not come back');
  await server.settled();
}
