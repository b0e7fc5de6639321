import type { Element } from '@parley/xmpp/element';
import type { TestClient } from './client.ts';
import { answer, base64, sendAuth } from './login.ts';
import { authenticate, said } from './sasl2.ts';

/** What a client says to OAUTHBEARER. */
export const bearerMessage = (token: string, authzid = ''): string =>
  `n,${authzid === '' ? '' : `a=${authzid}`},\x01auth=Bearer ${token}\x01\x01`;

/** What the server has told in a challenge before it refused, and how it ended. */
export interface BearerOutcome {
  readonly end: Element;
  readonly told?: { readonly status?: string; readonly scope?: string; readonly 'openid-configuration'?: string };
}

/** Tries a token by the SASL of RFC 6120. */
export async function bearer(client: TestClient, token: string, authzid?: string): Promise<BearerOutcome> {
  sendAuth(client, 'OAUTHBEARER', base64(bearerMessage(token, authzid)));
  const first = await answer(client);
  if (first.name !== 'challenge') return { end: first };
  client.send(`<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${base64('\x01')}</response>`);
  return { told: JSON.parse(Buffer.from(first.text, 'base64').toString()), end: await answer(client) };
}

/** The same by SASL2; `content` is what stands beside the first message. */
export async function bearer2(client: TestClient, token: string, content = ''): Promise<BearerOutcome> {
  authenticate(client, 'OAUTHBEARER', bearerMessage(token), content);
  const first = await said(client);
  if (first.name !== 'challenge') return { end: first };
  client.send(`<response xmlns='urn:xmpp:sasl:2'>${base64('\x01')}</response>`);
  return { told: JSON.parse(Buffer.from(first.text, 'base64').toString()), end: await said(client) };
}
