import { Element, type Node } from './element.ts';
import { NS } from './namespaces.ts';
import type { Stanza } from './stanza.ts';

/**
 * An element of a stream whose content namespace is another one (`jabber:server`, `jabber:component:accept`) as the same
 * in a stream of clients, which is how everything within the server has it. Its text is kept where that means the same
 * there, which a namespace that it declares itself would not.
 */
export function asClientContent(element: Element, contentNs: string): Element {
  const { name, ns, attributes, children, source } = element;
  if (ns !== contentNs) return element;
  const kept = source !== undefined && !mayName(source, contentNs) ? source : undefined;
  return new Element(name, NS.client, attributes, translated(children, contentNs), kept);
}

function translated(nodes: readonly Node[], from: string): readonly Node[] {
  if (!nodes.some((node) => typeof node !== 'string')) return nodes;
  return nodes.map((node) => {
    if (typeof node === 'string') return node;
    const children = translated(node.children, from);
    if (node.ns !== from && children === node.children) return node;
    return new Element(node.name, node.ns === from ? NS.client : node.ns, node.attributes, children);
  });
}

/** A stanza as text in a stream of another content namespace: what it holds of its own is in that namespace, too. */
export function inOtherContent(stanza: Stanza): string {
  const text = stanza.toString();
  // whoever wrote the namespace out would have it be that of clients there, where nobody looks for it
  return mayName(text, NS.client) ? stanza.with({ children: stanza.children }).toString() : text;
}

/** A character reference may stand for any letter of it. */
const mayName = (text: string, ns: string): boolean => text.includes(ns) || text.includes('&#');
