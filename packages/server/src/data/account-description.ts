import { formatDateTime, parseDateTime } from '@parley/xmpp/date-time';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';

/** What XEP-0227 has no words for, and servers of other makes leave aside (§4). */
export interface AccountDescription {
  readonly disabled: boolean;
  /** Milliseconds since 1970. */
  readonly created: number | undefined;
}

export const isDescription = (element: Element): boolean => element.is('account', NS.parleyAccount);

export function descriptionElement({ disabled, created }: AccountDescription): Element {
  return Element.of('account', NS.parleyAccount, {
    created: created === undefined ? undefined : formatDateTime(created),
    disabled: disabled ? 'true' : undefined,
  });
}

export function readDescription(element: Element): AccountDescription {
  const created = parseDateTime(element.attr('created') ?? '');
  return { disabled: element.attr('disabled') === 'true', created };
}
