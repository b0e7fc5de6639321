import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { tokenMac } from '@parley/xmpp/sasl/hashed-token';
import { clientFinal } from '@parley/xmpp/sasl/testing';
import type { TestClient } from './client.ts';
import { base64, type ScramAttempt } from './login.ts';

/** What `<stream:features/>` offer for a login by SASL2. */
export const offerOf = async (client: TestClient): Promise<Element> => {
  const features = await client.take(({ name }) => name === 'features');
  const offer = features.child('authentication', NS.sasl2);
  if (offer === undefined) throw new Error(`No SASL2: ${features}`);
  return offer;
};

/** Begins a login; `content` is what stands beside the first message of the mechanism, which may be left out. */
export function authenticate(client: TestClient, mechanism: string, first: string | undefined, content = ''): void {
  const initial = first === undefined ? '' : `<initial-response>${base64(first)}</initial-response>`;
  client.send(`<authenticate xmlns='${NS.sasl2}' mechanism='${mechanism}'>${initial}${content}</authenticate>`);
}

/** What the server says to SASL2: a challenge, something to be done first, a success or a failure. */
export const said = (client: TestClient, patience?: number): Promise<Element> =>
  client.take(({ ns }) => ns === NS.sasl2, patience);

/** Logs in by PLAIN; gives the success, what is to be done first, or the failure. */
export function plain2(client: TestClient, username: string, password: string, content = ''): Promise<Element> {
  authenticate(client, 'PLAIN', `\0${username}\0${password}`, content);
  return said(client);
}

/** Logs in by SCRAM, likewise. Throws where the server does not prove that it knows the password. */
export async function scram2(client: TestClient, attempt: ScramAttempt, content = ''): Promise<Element> {
  const { hash = 'SHA-1', plus = false, header = 'n,,', tamper = (message: string) => message } = attempt;
  const first = `${header}n=${attempt.username},r=a-nonce-of-the-client`;
  authenticate(client, `SCRAM-${hash}${plus ? '-PLUS' : ''}`, first, content);
  const challenge = await said(client);
  if (challenge.name !== 'challenge') return challenge;
  const data = Buffer.from(challenge.text, 'base64');
  const final = clientFinal(hash, first, { type: 'challenge', data }, attempt);
  client.send(`<response xmlns='${NS.sasl2}'>${base64(tamper(final.message))}</response>`);
  const end = await said(client);
  if (end.name !== 'failure' && end.childText('additional-data') !== base64(`v=${final.serverSignature}`)) {
    throw new Error(`A false server: ${end}`);
  }
  return end;
}

/** The address that a success gives. */
export const addressIn = (success: Element): string | undefined => success.childText('authorization-identifier');

/** What a client is known again by. */
export const AGENT = `<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>AwesomeXMPP</software></user-agent>`;

export const wantToken = (mechanism = 'HT-SHA-256-NONE') =>
  `<request-token xmlns='${NS.fast}' mechanism='${mechanism}'/>`;

/** The token that a success gives. */
export const tokenIn = (success: Element): string | undefined => success.child('token', NS.fast)?.attr('token');

export interface Showing {
  readonly mechanism?: string;
  readonly username?: string;
  /** What the client is bound to. */
  readonly binding?: Buffer;
  /** Attributes of `<fast/>`. */
  readonly attributes?: string;
  /** What else stands in the request. */
  readonly content?: string;
  readonly agent?: string;
  /** How long it waits for the answer, in milliseconds. */
  readonly patience?: number;
}

/** Logs in by a token; gives the success or the failure. Throws where the server does not prove that it has the token, too. */
export async function show(client: TestClient, token: string, showing: Showing = {}): Promise<Element> {
  const { mechanism = 'HT-SHA-256-NONE', username = 'juliet', binding = Buffer.alloc(0), attributes = '' } = showing;
  const proof = Buffer.concat([Buffer.from(`${username}\0`), tokenMac(token, 'Initiator', binding)]);
  client.send(
    `<authenticate xmlns='${NS.sasl2}' mechanism='${mechanism}'>` +
      `<initial-response>${proof.toString('base64')}</initial-response>${showing.agent ?? AGENT}` +
      `<fast xmlns='${NS.fast}'${attributes}/>${showing.content ?? ''}</authenticate>`,
  );
  const answer = await said(client, showing.patience);
  const expected = tokenMac(token, 'Responder', binding).toString('base64');
  if (answer.name === 'success' && answer.childText('additional-data') !== expected) throw new Error('A false server.');
  return answer;
}
