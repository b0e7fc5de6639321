import { createHash, timingSafeEqual } from 'node:crypto';
import type { Element } from '@parley/xmpp/element';
import { escapeAttribute } from '@parley/xmpp/escape';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import { rootError } from '../stream/stream-header.ts';

/** What is wrong with a component's stream header (XEP-0114 §3), if anything is, beside the domain that it names. */
export function componentHeaderError(root: Element, contentNs: string): StreamError | undefined {
  const error = rootError(root, contentNs, NS.component, 'components');
  if (error !== undefined || root.attr('to') !== undefined) return error;
  return new StreamError('improper-addressing', 'The stream has no "to": name the domain of the component.');
}

/** Our own header; `from` is '' where the component named no domain that it may serve. */
export const componentHeader = (id: string, from: string): string =>
  `<?xml version='1.0'?><stream:stream xmlns='${NS.component}' xmlns:stream='${NS.streams}' id='${id}'` +
  `${from === '' ? '' : ` from='${escapeAttribute(from)}'`}>`;

/** Whether this is what somebody says who knows the secret (XEP-0114 §3); how long it takes says nothing about it. */
export function isHandshake(said: string, id: string, secret: string): boolean {
  const expected = createHash('sha1').update(id).update(secret).digest();
  const text = said.trim();
  const given = Buffer.from(/^[0-9a-f]{40}$/i.test(text) ? text : '', 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
