import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { formatDateTime } from '@parley/xmpp/date-time';
import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { tokenMechanisms } from '@parley/xmpp/sasl/hashed-token';
import { StreamError } from '@parley/xmpp/stream-error';
import * as z from 'zod';
import { type AccountChange, AccountsAway, AccountsBusy } from '../../auth/authenticator.ts';
import { count, seconds } from '../../config/option.ts';
import { defineModule } from '../../module.ts';
import { nextAttempt, untilDone } from '../../session/attempts.ts';
import type { InlineLogin } from '../../stream/inline-feature.ts';
import type { Stream } from '../../stream/stream.ts';
import type { UserAgent } from '../../stream/user-agent.ts';
import { within } from '../../within.ts';
import type { KeptToken } from './client-record.ts';
import { ClientStore, clientKeys } from './client-store.ts';
import { Tokens } from './tokens.ts';

const DAY = 86_400;
/** So long whoever changes an account waits until its tokens are gone. */
const REVOKE_MS = 5000;

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
  maxClients: count(20, {
    live: true,
    max: 1000,
    description:
      'Clients of one account that may have tokens; one more takes the place of the one that was away longest.',
  }),
});

/** What ends all tokens of an account. */
const ENDS: ReadonlySet<AccountChange['change']> = new Set(['removed', 'disabled', 'password', 'moved']);

/** XEP-0484: clients that have logged in once come back by a token, in one round trip and without the password. */
export default defineModule({
  name: 'fast',
  description: 'Gives clients tokens by which they log in the next time, in one round trip (XEP-0484).',
  xeps: [
    {
      number: 484,
      version: '0.2.0',
      note: 'HT-SHA-256-EXPR, -ENDP and -NONE, as the connection binds; no TLS 0-RTT. Tokens are made by the cluster’s secret, and not kept.',
    },
  ],
  options,
  keys: [clientKeys],
  moves: [{ keys: clientKeys, stays: true }], // they are those of the former address
  setup(context) {
    const { features, accounts, keyspace, hooks, log } = context;
    const given = () => context.options() as unknown as z.infer<typeof options>;
    const store = new ClientStore(keyspace);
    const limits = () => ({ most: given().maxClients, ttl: given().tokenSeconds * 1000 });
    const tokens = new Tokens({ store, accounts, secret: context.secret('tokens of clients'), limits });
    /** By which streams have authenticated. */
    const used = new WeakMap<Stream, KeptToken>();

    /** §2.1: what this connection can bind to. */
    const offered = ({ encrypted, transport }: Stream) =>
      [...tokenMechanisms].flatMap(([name, type]) =>
        encrypted && (type === undefined || transport.channelBinding(type) !== undefined) ? [name] : [],
      );

    features.add({
      ns: NS.fast,
      inSasl2: {
        advertise(stream) {
          const names = offered(stream).map((name) => Element.of('mechanism', NS.fast, {}, name));
          return Element.of('fast', NS.fast, {}, ...names);
        },

        // §3.3
        tokens(stream, request, userAgent) {
          const fast = request.child('fast', NS.fast);
          const client = userAgent?.id;
          if (fast === undefined || client === undefined) return undefined;
          const counted = countIn(fast);
          const onUsed = (token: KeptToken) => void used.set(stream, token);
          return {
            mechanisms: offered(stream),
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
          const mechanism = asked !== undefined && offered(stream).includes(asked) ? asked : due;
          return mechanism === undefined ? [] : give(stream, account, { ...userAgent, id: userAgent.id }, mechanism);
        },
      },
    });

    const isDue = ({ issued }: KeptToken) => Date.now() - issued > given().rotationSeconds * 1000;

    /** §3.6 */
    async function invalidate(account: Jid, client: string): Promise<void> {
      try {
        await store.remove(account, client);
      } catch (error) {
        if (!(error instanceof KeyspaceError)) throw error;
        throw new StreamError('resource-constraint', 'The token cannot be ended just now: try again.');
      }
    }

    /** §3.2, §3.5. Who gets none comes back by the password. */
    async function give(stream: Stream, account: Jid, agent: UserAgent & { id: string }, mechanism: string) {
      try {
        const token = await tokens.issue(account, agent, mechanism);
        if (token === undefined) return [];
        // somebody has ended the login, and perhaps all tokens, in between
        if (stream.closed) await store.remove(account, agent.id);
        return [Element.of('token', NS.fast, { token: token.secret, expiry: formatDateTime(token.expires) })];
      } catch (error) {
        const known = [KeyspaceError, AccountsAway, AccountsBusy].some((kind) => error instanceof kind);
        if (!known) throw error;
        log.flood('fast.no-token', { account: account.toString(), message: (error as Error).message });
        return [];
      }
    }

    // every node does it: one may have given a token before it heard of the change
    accounts.onChange(({ account, change }) => {
      if (!ENDS.has(change)) return;
      const done = untilDone(
        () => store.removeAll(account),
        () => nextAttempt(keyspace),
      );
      const told = done.catch((error: Error) => {
        if (!isClosed(error)) log.error('fast.not-revoked', { account: account.toString(), error });
      });
      hooks.pending.add(told);
      return within(told, REVOKE_MS);
    });
  },
});

/** The node stops. */
const isClosed = (error: Error) => error instanceof KeyspaceError && error.failure === 'closed';

/** §3.3: a whole number that is greater each time. */
function countIn(fast: Element): number | undefined {
  const text = fast.attr('count');
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}
