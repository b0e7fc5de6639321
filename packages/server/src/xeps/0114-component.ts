import { Components } from '../components/components.ts';
import { hostOf } from '../disclosure.ts';
import { defineModule } from '../module.ts';
import { Acceptance } from '../stream/acceptance.ts';

/** XEP-0114: programs of others that serve domains of their own. */
export default defineModule({
  name: 'components',
  essential: true,
  description: 'Lets external components serve domains of their own (XEP-0114).',
  xeps: [{ number: 114, version: '1.6', note: 'Components connect to the server (`jabber:component:accept`) alone.' }],
  setup(context) {
    const { config, domains, router, disclosure } = context;
    const acceptance = context.use(Acceptance);
    const components = new Components({ ...context, acceptance, self: context.sessionStore.owner });
    context.provide(Components, components);
    router.addServices(components);
    // where the list of services would not show it: below none of our domains, or with a name
    disclosure.items.push(({ domain }) =>
      [...components.shown()].flatMap((jid) => {
        const name = components.table.get(jid)?.name;
        const host = hostOf(jid, domains);
        return (host ?? domain) === domain ? [{ jid, ...(name !== undefined && { name }) }] : [];
      }),
    );
    const { components: addresses } = config().listen;
    context.listen({
      name: 'components',
      addresses: config().components.length > 0 ? addresses : [],
      accept: (transport) => void components.accept(transport),
      onClose: () => components.retire(),
    });
    context.onStop(() => components[Symbol.dispose]());
  },
});
