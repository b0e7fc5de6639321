import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Iq, Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import * as z from 'zod';
import { type Found, type ProfileSource, Profiles } from '../../auth/profiles.ts';
import { count } from '../../config/option.ts';
import { defineModule } from '../../module.ts';
import { RemoteSession } from '../../session/remote-session.ts';
import { WindowCount } from '../../stream/window-count.ts';
import { readSearch, searchFields, searchResult } from './search-form.ts';

const options = z.object({
  perMinute: count(20, {
    live: true,
    metric: 'searches',
    description: 'Searches of one account in a minute, on one node.',
  }),
});

const MINUTE_MS = 60_000;

/**
 * XEP-0055: people of a directory are looked for at `search.DOMAIN`, an item of the domain. Clients look among the items
 * of their server for one that is a directory of users, or has the feature; few ask the server itself.
 */
export default defineModule({
  name: 'search',
  description: 'Looks for people in a directory (XEP-0055), at `search.DOMAIN`.',
  xeps: [{ number: 55, version: '1.3', note: 'In directories; accounts that the server keeps itself are not found.' }],
  options,
  setup(context) {
    const { domains, log, metrics, router, sessions } = context;
    const profiles = context.use(Profiles);
    const searches = new WindowCount();
    const limit = () => (context.options() as unknown as z.infer<typeof options>).perMinute;

    const countSearch = (from: Jid) => {
      if (searches.add(from.bareText, MINUTE_MS, performance.now()) <= limit()) return;
      const session = sessions.get(from);
      if (session !== undefined && !(session instanceof RemoteSession)) {
        session.stream.host.onLimit(session.stream, 'searches');
      } else {
        metrics.limitsExceeded.with({ limit: 'searches' }).increment();
        log.flood('limit.exceeded', { limit: 'searches', from: from.bareText });
      }
      throw new StanzaError('resource-constraint', { type: 'wait', text: 'Too many searches: try again in a minute.' });
    };

    const answer = async (iq: Iq, payload: Element, domain: string): Promise<Element> => {
      const from = iq.from as Jid;
      const { ns, name } = payload;
      if (iq.type === 'get' && ns === NS.discoInfo && name === 'query') return info(payload);
      if (iq.type === 'get' && ns === NS.discoItems && name === 'query') return Element.of('query', NS.discoItems);
      if (ns !== NS.search || name !== 'query') throw new StanzaError('service-unavailable');
      const allowed: ProfileSource[] = [];
      // users of other servers, and guests, are no accounts of a source
      for (const source of profiles.sources(domain)) if (await source.maySearch(from.bare)) allowed.push(source);
      if (allowed.length === 0 || !context.isLocal(from)) {
        throw new StanzaError('forbidden', { text: 'You may not look for people here.' });
      }
      if (iq.type === 'get') return searchFields();
      const terms = readSearch(payload);
      countSearch(from);
      const all = await Promise.all(allowed.map((source) => source.search(terms)));
      return searchResult(joined(all), payload.child('x', NS.dataForms) !== undefined);
    };

    const serve = (domain: string) => async (stanza: Stanza) => {
      if (stanza.kind === 'presence' || stanza.type === 'error' || stanza.type === 'result') return;
      const { payload, from } = stanza;
      if (stanza.kind !== 'iq' || payload === undefined || from === undefined || stanza.to?.local !== '') {
        throw new StanzaError('service-unavailable');
      }
      const request = stanza as Iq;
      await router.route(request.result(await answer(request, payload, domain)));
    };

    for (const domain of domains) {
      const place = `search.${domain}`;
      if (domains.includes(place) || !profiles.sources(domain).some(({ searchable }) => searchable)) continue;
      router.addService(place, serve(domain));
      context.onStop(() => router.removeService(place));
    }
  },
});

function info(query: Element): Element {
  if (query.attr('node')) throw new StanzaError('item-not-found');
  const identity = { category: 'directory', type: 'user', name: 'People' };
  return Element.of(
    'query',
    NS.discoInfo,
    {},
    Element.of('identity', NS.discoInfo, identity),
    ...[NS.discoInfo, NS.discoItems, NS.search, NS.dataForms].map((feature) =>
      Element.of('feature', NS.discoInfo, { var: feature }),
    ),
  );
}

/** What several sources have found, nobody twice. */
function joined(all: readonly Found[]): Found {
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  const people = new Map(all.flatMap((found) => found.people).map((person) => [person.account.bareText, person]));
  return { people: [...people.values()], more: all.some(({ more }) => more) };
}
