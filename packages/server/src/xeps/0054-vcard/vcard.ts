import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import * as z from 'zod';
import { bytes } from '../../config/option.ts';
import type { IqHandler } from '../../iq.ts';
import { defineModule } from '../../module.ts';
import { VcardStore, vcardKeys } from './vcard-store.ts';

const text = (description: string) => z.string().max(1023).default('').meta({ live: true, description });

const options = z.object({
  maxBytes: bytes(131_072, {
    live: true,
    metric: 'vcard-bytes',
    description: 'Size of one vCard, its picture included.',
  }),
  organization: text('Who runs the server, for the vCard of the server itself.'),
  url: text('Where more about the server is found, likewise.'),
  description: text('What there is to say about the server, likewise.'),
});

type Options = z.infer<typeof options>;

/** XEP-0054: vCards, which everybody may read. */
export default defineModule({
  name: 'vcard',
  description: 'Keeps the vCards of accounts (XEP-0054), with their pictures.',
  xeps: [{ number: 54, version: '1.3.0' }],
  features: [NS.vcard],
  accountFeatures: [NS.vcard],
  options,
  keys: [vcardKeys],
  setup(context) {
    const { iq, keyspace } = context;
    const current = () => context.options() as unknown as Options;
    const store = new VcardStore(keyspace);

    iq.get(NS.vcard, 'vCard', (_iq, { to }) => domainVcard(to, current()), { at: ['domain'], allow: 'anyone' });

    const get: IqHandler = async (_iq, { to, from }) => {
      const vcard = await store.get(to);
      if (vcard !== undefined) return vcard;
      // §3.1 and §3.3: nobody else can tell a missing vCard from a missing account
      throw new StanzaError(from.bareText === to.bareText ? 'item-not-found' : 'service-unavailable');
    };
    const set: IqHandler = async (_iq, { to, payload, sender }) => {
      const { maxBytes } = current();
      const text = payload.children.length === 0 ? '' : payload.toString();
      if (Buffer.byteLength(text) > maxBytes) {
        sender?.stream.host.onLimit(sender.stream, 'vcard-bytes');
        throw new StanzaError('policy-violation', { text: `A vCard may have up to ${maxBytes} bytes.` });
      }
      await store.set(to, text);
      return undefined;
    };
    iq.get(NS.vcard, 'vCard', get, { at: ['account'], allow: 'anyone' });
    iq.set(NS.vcard, 'vCard', set, { at: ['account'] });
  },
});

/** §3.3: a server has a vCard, too. */
function domainVcard(domain: Jid, { organization, url, description }: Options): Element {
  const field = (name: string, ...children: (Element | string)[]) => Element.of(name, NS.vcard, {}, ...children);
  const children = [field('FN', domain.domain)];
  if (organization !== '') children.push(field('ORG', field('ORGNAME', organization)));
  if (url !== '') children.push(field('URL', url));
  if (description !== '') children.push(field('DESC', description));
  return field('vCard', ...children);
}
