import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import type { TestClient } from './client.ts';
import { answer, sendAuth } from './login.ts';
import { said } from './sasl2.ts';

/** How the messages of a mechanism go to and fro, in the SASL of RFC 6120 or that of XEP-0388. */
export interface Exchange {
  /** Undefined where the client waits to be asked. */
  begin(first: Buffer | undefined): void;
  respond(message: Buffer): void;
  /** A challenge, or the end. */
  next(): Promise<Element>;
}

const text = (message: Buffer) => message.toString('base64');

export const saslExchange = (client: TestClient, mechanism: string): Exchange => ({
  begin: (first) => sendAuth(client, mechanism, first === undefined ? '' : text(first) || '='),
  respond: (message) => client.send(`<response xmlns='${NS.sasl}'>${text(message)}</response>`),
  next: () => answer(client),
});

/** `content` is what stands beside the first message. */
export const sasl2Exchange = (client: TestClient, mechanism: string, content = ''): Exchange => ({
  begin(first) {
    const initial = first === undefined ? '' : `<initial-response>${text(first)}</initial-response>`;
    client.send(`<authenticate xmlns='${NS.sasl2}' mechanism='${mechanism}'>${initial}${content}</authenticate>`);
  },
  respond: (message) => client.send(`<response xmlns='${NS.sasl2}'>${text(message)}</response>`),
  next: () => said(client),
});
