import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { Verbatim } from '@parley/xmpp/verbatim';
import * as z from 'zod';
import { bytes, count } from '../../config/option.ts';
import type { IqHandler } from '../../iq.ts';
import { defineModule } from '../../module.ts';
import { privatePart } from './private-part.ts';
import { PrivateStore, privateKeys } from './private-store.ts';
import { privateTexts } from './private-texts.ts';

const options = z.object({
  maxBytes: bytes(262_144, {
    live: true,
    metric: 'private-bytes',
    description: 'Bytes that the clients of one account may keep altogether.',
  }),
  maxNamespaces: count(100, {
    live: true,
    metric: 'private-namespaces',
    description: 'Namespaces under which the clients of one account may keep something.',
  }),
});

/** XEP-0049: XML that clients keep on the server for themselves, by namespace. */
export default defineModule({
  name: 'private-storage',
  description: 'Keeps settings and bookmarks of clients (XEP-0049).',
  xeps: [{ number: 49, version: '1.2' }],
  features: [NS.private],
  accountFeatures: [NS.private],
  options,
  keys: [privateKeys],
  parts: [privatePart],
  setup(context) {
    const { iq, keyspace } = context;
    const store = new PrivateStore(keyspace);

    const get: IqHandler = async (_iq, { to, payload }) => {
      const [first, ...others] = contentOf(payload) as [Element, ...Element[]];
      // §2.3: one namespace a request
      if (others.some(({ ns }) => ns !== first.ns)) {
        throw new StanzaError('not-acceptable', { text: 'Ask for one namespace at a time.' });
      }
      const text = await store.get(to, first.ns);
      return Element.of('query', NS.private, {}, text === undefined ? first : new Verbatim(first.name, first.ns, text));
    };
    const set: IqHandler = async (_iq, { to, payload, sender }) => {
      const limits = context.options() as unknown as z.infer<typeof options>;
      const result = await store.set(to, privateTexts(contentOf(payload)), limits);
      if (result === 'done') return undefined;
      sender?.stream.host.onLimit(sender.stream, result === 'too-large' ? 'private-bytes' : 'private-namespaces');
      throw new StanzaError('resource-constraint', {
        type: 'cancel',
        text: `Up to ${limits.maxBytes} bytes in ${limits.maxNamespaces} namespaces can be kept.`,
      });
    };
    iq.get(NS.private, 'query', get, { at: ['account'] });
    iq.set(NS.private, 'query', set, { at: ['account'] });
  },
});

/** §2.3: at least one element, each of a namespace of its own. */
function contentOf(query: Element): Element[] {
  const { elements } = query;
  if (elements.length === 0 || elements.some(({ ns }) => ns === NS.private || ns === '')) {
    throw new StanzaError('not-acceptable', { text: 'Name what is meant by an element with a namespace of its own.' });
  }
  return elements;
}
