import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { vcard4Of } from '@parley/xmpp/vcard4';
import * as z from 'zod';
import { Profiles } from '../../auth/profiles.ts';
import { bytes } from '../../config/option.ts';
import { maySeePresence } from '../../im/presence-permission.ts';
import { RosterStore } from '../../im/roster-store.ts';
import type { IqContext, IqHandler } from '../../iq.ts';
import { defineModule } from '../../module.ts';
import { vcardPart } from './vcard-part.ts';
import { VcardStore, vcardKeys } from './vcard-store.ts';
import { Vcards } from './vcards.ts';

const text = (description: string) => z.string().max(1023).default('').meta({ live: true, description });

const options = z.object({
  maxBytes: bytes(131_072, {
    live: true,
    metric: 'vcard-bytes',
    description: 'Size of one vCard, its picture included, as far as it is kept here and not in a directory.',
  }),
  organization: text('Who runs the server, for the vCard of the server itself.'),
  url: text('Where more about the server is found, likewise.'),
  description: text('What there is to say about the server, likewise.'),
});

type Options = z.infer<typeof options>;

/** XEP-0054: vCards, which everybody may read; XEP-0292 shows the same ones in another form. */
export default defineModule({
  name: 'vcard',
  description: 'Keeps the vCards of accounts (XEP-0054, XEP-0292), with their pictures.',
  xeps: [
    { number: 54, version: '1.3.0', note: 'With what a directory says of people.' },
    {
      number: 292,
      version: '0.12.0',
      partial: true,
      note: 'vCards are read as vCard4, from the node `urn:xmpp:vcard4` and by the requests of version 0.11; they are set by XEP-0054.',
    },
  ],
  features: [NS.vcard, NS.vcard4],
  accountFeatures: [NS.vcard, NS.vcard4],
  options,
  keys: [vcardKeys],
  parts: [vcardPart],
  setup(context) {
    const { hooks, iq, keyspace, peers } = context;
    const current = () => context.options() as unknown as Options;
    const profiles = context.use(Profiles);
    const vcards = new Vcards(new VcardStore(keyspace), profiles);

    iq.get(NS.vcard, 'vCard', (_iq, { to }) => domainVcard(to, current()), { at: ['domain'], allow: 'anyone' });
    iq.get(NS.vcard4, 'vcard', (_iq, { to }) => domainVcard4(to, current()), { at: ['domain'], allow: 'anyone' });

    // guests have no account
    const isKnown = async (account: Jid, asker: Jid): Promise<boolean> =>
      (context.isLocal(asker) && (await context.accounts.exists(asker.bare))) ||
      maySeePresence(context.use(RosterStore), account, asker);
    const find = async ({ to, from }: IqContext): Promise<Element> => {
      const vcard = await vcards.get(to, () => isKnown(to, from));
      if (vcard !== undefined) return vcard;
      // §3.1 and §3.3: nobody else can tell a missing vCard from a missing account
      throw new StanzaError(from.bareText === to.bareText ? 'item-not-found' : 'service-unavailable');
    };
    const set: IqHandler = async (_iq, { to, payload, sender }) => {
      const { maxBytes } = current();
      const changed = await vcards.set(to, payload, (text) => {
        if (Buffer.byteLength(text) <= maxBytes) return;
        sender?.stream.host.onLimit(sender.stream, 'vcard-bytes');
        throw new StanzaError('policy-violation', { text: `A vCard may have up to ${maxBytes} bytes.` });
      });
      if (changed) await peers.tell('profile', to.bareText);
      return undefined;
    };
    iq.get(NS.vcard, 'vCard', (_iq, asked) => find(asked), { at: ['account'], allow: 'anyone' });
    iq.set(NS.vcard, 'vCard', set, { at: ['account'] });

    iq.get(NS.vcard4, 'vcard', async (_iq, asked) => asVcard4(await find(asked)), { at: ['account'], allow: 'anyone' });
    const getNode: IqHandler = async (_iq, asked) => {
      const items = asked.payload.child('items');
      if (items?.attr('node') !== NS.vcard4Node) throw new StanzaError('service-unavailable');
      const item = Element.of('item', NS.pubsub, { id: 'current' }, asVcard4(await find(asked)));
      return Element.of('pubsub', NS.pubsub, {}, Element.of('items', NS.pubsub, { node: NS.vcard4Node }, item));
    };
    iq.get(NS.pubsub, 'pubsub', getNode, { at: ['account'], allow: 'anyone' });

    peers.on('profile', (account) => profiles.forget(Jid.parse(account)));
    hooks.events.on('account.moved', (account) => profiles.forget(account));
  },
});

/** Kept text stands for itself, so that most vCards are never parsed; this one is. */
function asVcard4(vcard: Element): Element {
  return vcard4Of(stanzaFromText(Buffer.from(`<iq>${vcard}</iq>`)).payload ?? vcard);
}

/** §3.3: a server has a vCard, too. */
function domainVcard(domain: Jid, { organization, url, description }: Options): Element {
  const field = (name: string, ...children: (Element | string)[]) => Element.of(name, NS.vcard, {}, ...children);
  const children = [field('FN', domain.domain)];
  if (organization !== '') children.push(field('ORG', field('ORGNAME', organization)));
  if (url !== '') children.push(field('URL', url));
  if (description !== '') children.push(field('DESC', description));
  return field('vCard', ...children);
}

/** XEP-0292 §6 */
function domainVcard4(domain: Jid, options: Options): Element {
  const field = (name: string, ...children: (Element | string)[]) => Element.of(name, NS.vcard4, {}, ...children);
  return vcard4Of(domainVcard(domain, options)).append(field('kind', field('text', 'application')));
}
