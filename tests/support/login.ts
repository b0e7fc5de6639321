import type { Element } from '@parley/xmpp/element';
import type { ScramHash } from '@parley/xmpp/sasl/scram-verifier';
import { clientFinal } from '@parley/xmpp/sasl/testing';
import type { TestClient } from './client.ts';

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
export const base64 = (text: string) => Buffer.from(text).toString('base64');

export const features = (client: TestClient): Promise<Element> => client.take((element) => element.name === 'features');

/** The mechanisms that `<stream:features/>` offer, in their order. */
export const mechanismsOf = (offer: Element): string[] =>
  offer.child('mechanisms', SASL)?.elements.map(({ text }) => text) ?? [];

export function sendAuth(client: TestClient, mechanism: string, text: string): void {
  client.send(`<auth xmlns='${SASL}' mechanism='${mechanism}'>${text}</auth>`);
}

/** What the server says to SASL: a challenge, a success or a failure. After a success the client restarts the stream. */
export async function answer(client: TestClient): Promise<Element> {
  const element = await client.take(({ ns }) => ns === SASL);
  if (element.name === 'success') client.open(client.header?.attr('from') ?? '');
  return element;
}

/** Tries PLAIN and gives the success or the failure. */
export function plain(client: TestClient, username: string, password: string, authzid = ''): Promise<Element> {
  sendAuth(client, 'PLAIN', base64(`${authzid}\0${username}\0${password}`));
  return answer(client);
}

export interface ScramAttempt {
  readonly hash?: ScramHash;
  readonly plus?: boolean;
  readonly username: string;
  readonly password: string;
  /** The start of the first message: `n,,`, or `p=tls-exporter,,` with channel binding. */
  readonly header?: string;
  readonly bindingData?: Buffer;
  readonly nonce?: string;
  /** What is done to the last message before it is sent. */
  readonly tamper?: (message: string) => string;
}

/** Tries SCRAM and gives the success or the failure. Throws where the server does not prove that it knows the password. */
export async function scram(client: TestClient, attempt: ScramAttempt): Promise<Element> {
  const { hash = 'SHA-1', plus = false, header = 'n,,', tamper = (message: string) => message } = attempt;
  const first = `${header}n=${attempt.username},r=a-nonce-of-the-client`;
  sendAuth(client, `SCRAM-${hash}${plus ? '-PLUS' : ''}`, base64(first));
  const challenge = await answer(client);
  if (challenge.name !== 'challenge') return challenge;
  const data = Buffer.from(challenge.text, 'base64');
  const final = clientFinal(hash, first, { type: 'challenge', data }, attempt);
  client.send(`<response xmlns='${SASL}'>${base64(tamper(final.message))}</response>`);
  const end = await answer(client);
  if (end.name === 'success' && end.text !== base64(`v=${final.serverSignature}`)) throw new Error('A false server.');
  return end;
}

/** The condition of a failure, or the name of what came instead. */
export const conditionOf = (element: Element): string =>
  element.name === 'failure' ? (element.firstChild?.name ?? '') : element.name;

/** `result`, or the condition of the error. */
export const outcomeOf = (iq: Element): string | undefined =>
  iq.attr('type') === 'result' ? 'result' : iq.child('error')?.firstChild?.name;

/** The condition of the error that ends the stream. */
export const streamError = async (client: TestClient): Promise<string | undefined> =>
  (await client.take(({ name, ns }) => name === 'error' && ns === 'http://etherx.jabber.org/streams')).firstChild?.name;

/** Whether the server treats this client as logged in: it binds a resource when asked. */
export async function isIn(client: TestClient): Promise<boolean> {
  client.send(`<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`);
  const said = await client.take((element) => element.attr('id') === 'bind' || element.name === 'error');
  return said.attr('type') === 'result';
}
