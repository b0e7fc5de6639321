import type { Element } from '@parley/xmpp/element';
import type { Initiator } from '../services/initiator.ts';
import type { TestClient } from '../support/client.ts';
import { type Exchange, saslExchange } from '../support/sasl-exchange.ts';

export const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';

export interface GssapiAttempt {
  readonly service?: string;
  readonly authzid?: string;
  /** The first four bytes of what the client chooses (RFC 4752 §3.1). */
  readonly layer?: readonly number[];
  readonly mutual?: boolean;
  /** The kind of encryption that the client's machine knows alone. */
  readonly encryption?: number;
  /** The client waits to be asked. */
  readonly silent?: boolean;
  /** What is done to its messages before they are sent. */
  readonly tamper?: (message: Buffer, index: number) => Buffer;
}

export const exchangeOf = (client: TestClient): Exchange => saslExchange(client, 'GSSAPI');

/** The client's side of RFC 4752 §3.1. Gives the success or the failure, and what the client has sent. */
export async function gssapi(
  exchange: Exchange,
  initiator: Initiator,
  attempt: GssapiAttempt = {},
): Promise<{ end: Element; sent: Buffer[]; offered: Buffer | undefined }> {
  const { service = 'xmpp/localhost@LOCALHOST', authzid = '', layer = [1, 0, 0, 0], mutual = true } = attempt;
  const sent: Buffer[] = [];
  let offered: Buffer | undefined;
  const made = (message: Buffer) => {
    const index = sent.push(message) - 1;
    return attempt.tamper?.(message, index) ?? message;
  };
  const first = made(await initiator.begin(service, { mutual, encryption: attempt.encryption }));
  exchange.begin(attempt.silent ? undefined : first);
  let said = await exchange.next();
  if (attempt.silent && said.name === 'challenge') {
    exchange.respond(first);
    said = await exchange.next();
  }
  if (said.name === 'challenge' && mutual) {
    exchange.respond(made(await initiator.step(Buffer.from(said.text, 'base64'))));
    said = await exchange.next();
  }
  if (said.name === 'challenge') {
    offered = await initiator.unwrap(Buffer.from(said.text, 'base64'));
    exchange.respond(made(await initiator.wrap(Buffer.from([...layer, ...Buffer.from(authzid)]))));
    said = await exchange.next();
  }
  return { end: said, sent, offered };
}
