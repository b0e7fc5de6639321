import { Element, type Node } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { type Presence, type Stanza, stanzaOf } from '@parley/xmpp/stanza';

/**
 * A copy of a presence that can be kept for long. What is parsed are pieces of the text that came in, and each of them
 * keeps alive everything that came in with it.
 */
export function retain(presence: Stanza): Presence {
  const { attributes, children } = presence.with({ to: undefined, from: undefined }).toElement();
  const element = new Element('presence', NS.client, attributes.map(own), children.map(ownNode));
  return stanzaOf(element).withFrom(presence.from) as Presence;
}

function ownNode(node: Node): Node {
  if (typeof node === 'string') return own(node);
  return new Element(own(node.name), own(node.ns), node.attributes.map(own), node.children.map(ownNode));
}

/** V8 itself copies a piece that is shorter. */
const SHORTEST_PIECE = 13;

function own(text: string): string {
  return text.length < SHORTEST_PIECE ? text : Buffer.from(text).toString();
}
