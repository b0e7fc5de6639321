import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { vcardOf } from '@parley/xmpp/vcard-temp';

const AVATAR = 'urn:xmpp:avatar:data'; // XEP-0084
const AVATAR_FACTS = 'urn:xmpp:avatar:metadata';

/**
 * The vCard that PEP nodes of another server hold (XEP-0227 §4.9, XEP-0292, XEP-0084), with the picture; and the nodes that are
 * left out, since there is nothing here that would keep them.
 */
export function vcardOfNodes(pubsub: Element): { vcard: Element | undefined; others: string[] } {
  const nodes = new Map<string, Element | undefined>();
  for (const items of pubsub.elements) {
    if (items.is('items', NS.pubsub)) nodes.set(items.attr('node') ?? '', items.elements.at(-1)?.firstChild);
  }
  const card = nodes.get(NS.vcard4Node);
  const vcard = card?.is('vcard', NS.vcard4) ? vcardOf(card) : undefined;
  const photo = photoOf(nodes.get(AVATAR), nodes.get(AVATAR_FACTS));
  const whole = (vcard ?? Element.of('vCard', NS.vcard)).append(
    ...(photo === undefined || vcard?.child('PHOTO') !== undefined ? [] : [photo]),
  );
  for (const known of [NS.vcard4Node, AVATAR, AVATAR_FACTS]) nodes.delete(known);
  return { vcard: whole.children.length === 0 ? undefined : whole, others: [...nodes.keys()] };
}

function photoOf(data: Element | undefined, facts: Element | undefined): Element | undefined {
  const base64 = data?.is('data', AVATAR) ? data.text.replaceAll(/\s+/g, '') : '';
  if (base64 === '') return undefined;
  const field = (name: string, text: string) => Element.of(name, NS.vcard, {}, text);
  const type = facts?.firstChild?.attr('type') ?? 'image/png'; // XEP-0084 §4.2.1
  return Element.of('PHOTO', NS.vcard, {}, field('TYPE', type), field('BINVAL', base64));
}
