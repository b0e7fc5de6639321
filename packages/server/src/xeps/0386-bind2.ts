import { createHmac } from 'node:crypto';
import { Element } from '@parley/xmpp/element';
import { type Jid, JidError } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import { defineModule } from '../module.ts';
import { generateResource } from '../stream/bind.ts';
import type { InlineLogin } from '../stream/inline-feature.ts';
import { MadeBefore } from '../stream/made-before.ts';
import type { UserAgent } from '../stream/user-agent.ts';

/** Enough for nobody to guess it. */
const ID_BYTES = 12;

/** XEP-0386: a resource is bound as part of the login, and what its session is to have is switched on with it. */
export default defineModule({
  name: 'bind2',
  description: 'Binds a resource as part of a login by SASL2, with what its session is to have (XEP-0386).',
  xeps: [
    {
      number: 386,
      version: '1.1.0',
      note: 'Stored messages are sent as after any other binding: there is no archive (XEP-0313) to have them from.',
    },
  ],
  setup({ features, sessions, onBind, secret }) {
    const key = secret('resources of clients');
    const made = new MadeBefore<Element>();

    /** "Resource identifier generation": the same client gets the same, from which nobody learns its own id. */
    const idOf = (account: Jid, agent: UserAgent | undefined): string => {
      if (agent?.id === undefined) return generateResource();
      const code = createHmac('sha256', key).update(`${account.bareText}\0${agent.id}`).digest();
      return code.subarray(0, ID_BYTES).toString('base64url');
    };

    async function bind({ stream, userAgent: agent }: InlineLogin, request: Element): Promise<Jid> {
      const account = stream.identity as Jid;
      // who may only see to the account (XEP-0493 §5.1) takes no client's place, whoever it says that it is
      const userAgent = stream.access.grant?.only === undefined ? agent : undefined;
      const id = idOf(account, userAgent);
      const jid = addressOf(account, request.childText('tag'), id);
      // what this client had before it will not come back to, whatever it called itself then
      for (const session of sessions.of(account)) {
        const { resource } = session.jid;
        const isOfClient = userAgent?.id !== undefined && (resource === id || resource.endsWith(`/${id}`));
        if (isOfClient && resource !== jid.resource)
          session.end(new StreamError('conflict', 'This client logs in anew.'));
      }
      try {
        await onBind(stream, jid);
      } catch (error) {
        throw error instanceof StanzaError ? notBound(error) : error;
      }
      return jid;
    }

    features.add({
      ns: NS.bind2,
      inSasl2: {
        advertise() {
          return made.of(features.inBind2, () => {
            const vars = features.inBind2.map(({ ns }) => Element.of('feature', NS.bind2, { var: ns }));
            return Element.of('bind', NS.bind2, {}, Element.of('inline', NS.bind2, {}, ...vars));
          });
        },
        async handle(login) {
          const request = login.request.child('bind', NS.bind2);
          // whoever has resumed a session has a resource
          if (request === undefined || login.session !== undefined) return [];
          login.session = { jid: await bind(login, request), resumed: false };
          const told: Element[] = [];
          for (const wanted of request.elements) {
            if (login.stream.closed) break;
            told.push(...((await features.for(wanted.ns)?.inBind2?.(login, wanted)) ?? []));
          }
          return [Element.of('bound', NS.bind2, {}, ...told)];
        },
      },
    });
  },
});

/** `tag/id`, or the id alone where the tag is none that can stand there. */
function addressOf(account: Jid, tag: string | undefined, id: string): Jid {
  try {
    if (tag) return account.withResource(`${tag}/${id}`);
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
  }
  return account.withResource(id);
}

/** There is no success without the resource that was asked for, and the password is not at fault. */
const notBound = ({ condition, text, application }: StanzaError): StreamError =>
  new StreamError(condition === 'resource-constraint' ? condition : 'undefined-condition', text, application);
