import { escapeAttribute } from '@parley/xmpp/escape';
import { tryDomainPart } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../pipeline.ts';
import type { Stream } from '../stream/stream.ts';
import { addressError, rootError } from '../stream/stream-header.ts';
import { OUR_LANG } from '../stream/stream-lang.ts';
import type { StreamRole } from '../stream/stream-role.ts';

export interface ServerRoleHost {
  /** What is wrong with this domain at the other end, if anything is. */
  refusal(domain: string): StreamError | undefined;
  /** The header was good; `domain` is whom it claims to be from, if anybody. */
  prepare(stream: Stream, domain: string | undefined): Awaitable<void>;
}

/** Streams of other servers: nothing but negotiation before they have proved who they are. */
export function serverRole(host: ServerRoleHost): StreamRole {
  return {
    peer: 'server',
    contentNs: NS.server,

    headerError({ identity, domain }, header, { contentNs, served }) {
      const expected = { served, acceptOldVersion: false };
      const error = rootError(header, contentNs, NS.server, 'servers') ?? addressError(header, expected);
      if (error !== undefined) return error;
      const from = domainOf(header.attr('from'));
      // RFC 6120 §4.9.3.9
      if (from === undefined && header.attr('from') !== undefined) return new StreamError('invalid-from');
      if (identity === undefined) return from === undefined ? undefined : host.refusal(from);
      if (domain !== served) return new StreamError('host-unknown', 'The domain may not change.');
      if (from !== undefined && from !== identity.domain) {
        return new StreamError('invalid-from', 'You have authenticated as another domain.');
      }
      return undefined;
    },

    headerText({ id, domain }, from) {
      return (
        `<?xml version='1.0'?><stream:stream xmlns='${NS.server}' xmlns:stream='${NS.streams}'` +
        ` xmlns:db='${NS.dialback}' id='${id}'` +
        (domain === '' ? '' : ` from='${escapeAttribute(domain)}'`) +
        (from === undefined ? '' : ` to='${escapeAttribute(from)}'`) +
        ` version='1.0' xml:lang='${OUR_LANG}'>`
      );
    },

    prepare: (stream, header) => host.prepare(stream, domainOf(header.attr('from'))),

    receive() {
      // RFC 6120 §4.9.3.12
      throw new StreamError('not-authorized', 'Prove first who you are.');
    },
  };
}

/** The prepared domain that an attribute is, or undefined. */
export function domainOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : tryDomainPart(text);
}
