import { Element } from './element.ts';
import { NS } from './namespaces.ts';
import type { Stanza } from './stanza.ts';

/** `<forwarded/>` with a stanza in it (XEP-0297 §3), which goes out as it was received where it could be relayed so. */
export function forwarded(stanza: Stanza): Element {
  return Element.of('forwarded', NS.forward, {}, new ForwardedStanza(stanza));
}

class ForwardedStanza extends Element {
  readonly #stanza: Stanza;

  constructor(stanza: Stanza) {
    const { name, ns, attributes, children } = stanza.toElement();
    super(name, ns, attributes, children);
    this.#stanza = stanza;
  }

  override toString(context = ''): string {
    const text = this.#stanza.toString();
    if (context === this.ns) return text;
    return `<${this.name} xmlns='${this.ns}'${text.slice(this.name.length + 1)}`;
  }
}
