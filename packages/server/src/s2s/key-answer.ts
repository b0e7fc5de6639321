import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import { sameKey } from './dialback-key.ts';
import type { IncomingHost } from './incoming-host.ts';
import { tlsSuffices } from './policy.ts';
import { domainOf } from './server-role.ts';

/** What `db:result` and `db:verify` are about. */
export interface Pair {
  /** The domain at the other end. */
  readonly from: string;
  /** The one that it names as ours. */
  readonly to: string;
  /** Both as they were written, which is how an answer has to have them: not everybody prepares what comes. */
  readonly written: { readonly from: string; readonly to: string };
}

export function pairOf(element: Element): Pair {
  const written = { from: element.attr('from') ?? '', to: element.attr('to') ?? '' };
  const [from, to] = [domainOf(written.from), domainOf(written.to)];
  if (from === undefined || to === undefined) {
    throw new StreamError('improper-addressing', 'A key needs a "from" and a "to" that are domains.');
  }
  return { from, to, written };
}

/** Why no key is taken from a domain on a stream with this version of TLS, if none is. */
export function keyObjection(
  host: Pick<IncomingHost, 'policy'>,
  domain: string,
  protocol: string | undefined,
): StanzaError | undefined {
  const policy = host.policy(domain);
  if (!policy.allow) return new StanzaError('policy-violation', { text: 'Your domain is not welcome here.' });
  if (tlsSuffices(policy, protocol)) return undefined;
  return new StanzaError('policy-violation', { text: 'The connection is not encrypted well enough.' });
}

/** What answers the authoritative server's question whether a key is one of ours (XEP-0220 §2.2.2): any node can tell. */
export function answerToVerify(
  host: Pick<IncomingHost, 'policy' | 'serves' | 'dialbackKey'>,
  element: Element,
  protocol: string | undefined,
): string {
  const pair = pairOf(element);
  const id = element.attr('id');
  if (id === undefined) throw new StreamError('bad-format', 'A key has no id of a stream.');
  const served = host.serves(pair.to);
  const error = served ? keyObjection(host, pair.from, protocol) : new StanzaError('item-not-found');
  const isOurs = () => sameKey(element.text.trim(), host.dialbackKey(pair.from, pair.to, id));
  const type = error === undefined ? (isOurs() ? 'valid' : 'invalid') : 'error';
  return keyAnswer('verify', pair, { id, type }, error);
}

/** Some know no other prefix (§2), and have the error in the content namespace (§2.4.2). */
export function keyAnswer(
  name: 'result' | 'verify',
  { written: { from, to } }: Pair,
  attributes: { id?: string; type: string },
  error?: StanzaError,
): string {
  const open = Element.of(name, '', { from: to, to: from, ...attributes }).toString();
  const start = `<db:${open.slice(1, -2)}`;
  return error === undefined ? `${start}/>` : `${start}>${error.toElement().toString(NS.client)}</db:${name}>`;
}
