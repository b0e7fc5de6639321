import type { Element } from '@parley/xmpp/element';
import { escapeAttribute } from '@parley/xmpp/escape';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import { OUR_LANG } from './stream-lang.ts';

/** What a client's header is held against. */
export interface HeaderExpectations {
  /** The domain that is served under the header's `to`, if it is one of ours. */
  readonly served: string | undefined;
  /** Who has authenticated on the connection already. */
  readonly identity: Jid | undefined;
  /** Headers without a version are from before XMPP 1.0. */
  readonly acceptOldVersion: boolean;
}

/** The prepared domain that a header's `to` names, or undefined. */
export function addressedDomain(root: Element): string | undefined {
  const to = root.attr('to');
  return to === undefined ? undefined : Jid.tryParse(to)?.toString();
}

/** What is wrong with the root of anybody's stream, if anything is: `ours` is the content namespace that it should have. */
export function rootError(root: Element, contentNs: string, ours: string, whose: string): StreamError | undefined {
  // RFC 6120 §4.9.3.10
  if (root.ns !== NS.streams) return new StreamError('invalid-namespace', `The stream's namespace is ${NS.streams}.`);
  if (root.name !== 'stream') return new StreamError('bad-format', 'A stream begins with <stream/>.');
  if (contentNs === ours) return undefined;
  return new StreamError('invalid-namespace', `The content namespace of ${whose} is ${ours}.`);
}

/** What is wrong with the version and the `to` of a header (RFC 6120 §4.7), if anything is. */
export function addressError(
  root: Element,
  { served, acceptOldVersion }: Pick<HeaderExpectations, 'served' | 'acceptOldVersion'>,
): StreamError | undefined {
  const version = root.attr('version');
  if (version === undefined ? !acceptOldVersion : !/^[1-9]\d{0,3}\.\d{1,4}$/.test(version)) {
    return new StreamError('unsupported-version', 'The version is 1.0.'); // RFC 6120 §4.7.5
  }
  // RFC 6120 §4.9.3.7 and §4.9.3.6
  if (root.attr('to') === undefined) {
    return new StreamError('improper-addressing', 'The stream has no "to": name the domain.');
  }
  return served === undefined ? new StreamError('host-unknown', 'This domain is not served here.') : undefined;
}

/** What is wrong with a client's stream header (RFC 6120 §4.7 and §4.8), if anything is. */
export function headerError(root: Element, contentNs: string, expected: HeaderExpectations): StreamError | undefined {
  const { served, identity } = expected;
  const error = rootError(root, contentNs, NS.client, 'clients') ?? addressError(root, expected);
  if (error !== undefined || identity === undefined) return error;
  if (identity.domain !== served) {
    return new StreamError('invalid-from', 'The domain may not change after authentication.');
  }
  const from = root.attr('from');
  if (from !== undefined && !identity.equals(Jid.tryParse(from)?.bare)) {
    return new StreamError('invalid-from', 'You have authenticated as somebody else.'); // RFC 6120 §4.9.3.9
  }
  return undefined;
}

/** Our own header (RFC 6120 §4.7). `from` is '' where the client named no domain of ours. */
export function headerText(id: string, from: string, to: Jid | undefined): string {
  return (
    `<?xml version='1.0'?><stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}' id='${id}'` +
    (from === '' ? '' : ` from='${escapeAttribute(from)}'`) +
    (to === undefined ? '' : ` to='${escapeAttribute(to.toString())}'`) +
    ` version='1.0' xml:lang='${OUR_LANG}'>`
  );
}
