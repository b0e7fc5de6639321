import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { formatDateTime } from '@parley/xmpp/date-time';
import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import * as z from 'zod';
import { AccountsAway, AccountsBusy } from '../../auth/authenticator.ts';
import { ClientAccess } from '../../auth/clients/client-access.ts';
import type { ClientRecord, KeptToken } from '../../auth/clients/client-record.ts';
import { ClientStore, clientKeys } from '../../auth/clients/client-store.ts';
import { seconds } from '../../config/option.ts';
import { defineModule } from '../../module.ts';
import type { InlineLogin } from '../../stream/inline-feature.ts';
import { MadeBefore } from '../../stream/made-before.ts';
import { tokenMechanismsOn } from '../../stream/sasl-offers.ts';
import type { Stream } from '../../stream/stream.ts';
import type { UserAgent } from '../../stream/user-agent.ts';
import { Tokens } from './tokens.ts';

const DAY = 86_400;

const options = z.object({
  tokenSeconds: seconds(14 * DAY, {
    live: true,
    min: 60,
    description: 'How long a token is good that nobody shows: so long a client may be away and still log in by it.',
  }),
  rotationSeconds: seconds(DAY, {
    live: true,
    description: 'A client that shows a token which is older than that is given another one.',
  }),
});

/** XEP-0484: clients that have logged in once come back by a token, in one round trip and without the password. */
export default defineModule({
  name: 'fast',
  description: 'Gives clients tokens by which they log in the next time, in one round trip (XEP-0484).',
  xeps: [
    {
      number: 484,
      version: '0.2.0',
      note: 'HT-SHA-256-EXPR, -UNIQ, -ENDP and -NONE, as the connection binds; no TLS 0-RTT. Tokens are made by the cluster’s secret, and not kept.',
    },
  ],
  options,
  keys: [clientKeys],
  moves: [{ keys: clientKeys, stays: true }], // they are those of the former address
  setup(context) {
    const { features, accounts, log, use } = context;
    const [store, access] = [use(ClientStore), use(ClientAccess)];
    const given = () => context.options() as unknown as z.infer<typeof options>;
    const lifetime = () => given().tokenSeconds * 1000;
    const tokens = new Tokens({ store, accounts, secret: context.secret('tokens of clients'), lifetime });
    /** By which streams have authenticated. */
    const used = new WeakMap<Stream, KeptToken>();
    const made = new MadeBefore<Element>();

    features.add({
      ns: NS.fast,
      inSasl2: {
        advertise(stream) {
          const names = tokenMechanismsOn(stream);
          return made.of(names, () =>
            Element.of('fast', NS.fast, {}, ...names.map((name) => Element.of('mechanism', NS.fast, {}, name))),
          );
        },

        // §3.3
        tokens(stream, request, userAgent) {
          used.delete(stream); // in an attempt before, which somebody had something against
          const fast = request.child('fast', NS.fast);
          const client = userAgent?.id;
          if (fast === undefined || client === undefined) return undefined;
          const counted = countIn(fast);
          const onUsed = (token: KeptToken, record: ClientRecord) => {
            used.set(stream, token);
            stream.access.grant = token.grant;
            stream.access.resource = record.resource;
          };
          return {
            mechanisms: tokenMechanismsOn(stream),
            find: (account, mechanism) => tokens.find({ account, client, mechanism, count: counted, onUsed }),
          };
        },

        async handle({ stream, request, userAgent }: InlineLogin) {
          if (userAgent?.id === undefined || stream.mechanism === 'ANONYMOUS') return [];
          const account = stream.identity as Jid;
          const shown = used.get(stream);
          const ends = /^(?:1|true)$/.test(request.child('fast', NS.fast)?.attr('invalidate') ?? '');
          if (shown !== undefined && ends) await invalidate(account, userAgent.id);
          const asked = request.child('request-token', NS.fast)?.attr('mechanism');
          const due = shown !== undefined && !ends && isDue(shown) ? shown.mechanism : undefined;
          const mechanism = asked !== undefined && tokenMechanismsOn(stream).includes(asked) ? asked : due;
          return mechanism === undefined ? [] : give(stream, account, { ...userAgent, id: userAgent.id }, mechanism);
        },
      },
    });

    const isDue = ({ issued }: KeptToken) => Date.now() - issued > given().rotationSeconds * 1000;

    /** §3.6 */
    async function invalidate(account: Jid, client: string): Promise<void> {
      try {
        await access.endTokens(account, client);
      } catch (error) {
        if (!(error instanceof KeyspaceError)) throw error;
        throw new StreamError('resource-constraint', 'The token cannot be ended just now: try again.');
      }
    }

    /** §3.2, §3.5. Who gets none comes back by the password. */
    async function give(stream: Stream, account: Jid, agent: UserAgent & { id: string }, mechanism: string) {
      try {
        const token = await tokens.issue(account, agent, mechanism, {
          grant: stream.access.grant,
          renewed: used.has(stream),
        });
        if (token === undefined) return [];
        // somebody has ended the login in between, or all that this client has, and found no login to end yet
        if (stream.closed || access.isEnded(account, stream)) {
          await store.remove(account, agent.id);
          return [];
        }
        return [Element.of('token', NS.fast, { token: token.secret, expiry: formatDateTime(token.expires) })];
      } catch (error) {
        const known = [KeyspaceError, AccountsAway, AccountsBusy].some((kind) => error instanceof kind);
        if (!known) throw error;
        log.flood('fast.no-token', { account: account.toString(), message: (error as Error).message });
        return [];
      }
    }
  },
});

/** §3.3: a whole number that is greater each time. */
function countIn(fast: Element): number | undefined {
  const text = fast.attr('count');
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}
