import { verificationString } from '@parley/xmpp/caps';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Configuration } from '../config/schema.ts';
import type { Disclosure } from '../disclosure.ts';
import { defineModule } from '../module.ts';
import { MadeBefore } from '../stream/made-before.ts';

/** Names this software (XEP-0115 §4). */
const NODE = 'urn:parley:server';

/** XEP-0115: what the server can do, as one short string in the stream features. */
export default defineModule({
  name: 'caps',
  description: 'Tells clients in the stream features what the server can do (XEP-0115).',
  xeps: [{ number: 115, version: '1.6.0', note: 'Of the server itself; presence is not optimised.' }],
  features: [NS.caps],
  setup({ config, disclosure, features }) {
    const capabilities = new Capabilities(disclosure, config);
    features.add({
      ns: NS.caps,
      // §6.3; nobody needs it before the stream has its owner
      advertise: (stream) =>
        stream.identity === undefined ? undefined : capabilities.element(Jid.parse(stream.domain)),
    });
    // §6.2: under the node that is advertised stands what stands without one
    disclosure.nodes.push((domain, node) =>
      node === `${NODE}#${capabilities.verification(domain)}` ? disclosure.domainInfo(domain) : undefined,
    );
  },
});

/** The verification string of each domain, until the configuration changes. */
class Capabilities {
  readonly #disclosure: Disclosure;
  readonly #config: () => Configuration;
  readonly #known = new Map<string, string>();
  #knownFor: Configuration | undefined;
  readonly #made = new MadeBefore<Element>();

  constructor(disclosure: Disclosure, config: () => Configuration) {
    this.#disclosure = disclosure;
    this.#config = config;
  }

  verification(domain: Jid): string {
    if (this.#knownFor !== this.#config()) {
      this.#knownFor = this.#config();
      this.#known.clear();
    }
    let ver = this.#known.get(domain.domain);
    if (ver === undefined) {
      ver = verificationString(this.#disclosure.domainInfo(domain));
      this.#known.set(domain.domain, ver);
    }
    return ver;
  }

  element(domain: Jid): Element {
    const ver = this.verification(domain);
    return this.#made.of([ver], () => Element.of('c', NS.caps, { hash: 'sha-1', node: NODE, ver }));
  }
}
