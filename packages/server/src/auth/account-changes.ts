import { Jid } from '@parley/xmpp/jid';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Events } from '../events.ts';
import type { EventMap } from '../hooks.ts';
import type { Peers } from '../peers.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Streams } from '../stream/streams.ts';
import type { AccountChange, Authenticator } from './authenticator.ts';

export interface AccountChangesOptions {
  readonly accounts: Authenticator;
  readonly sessions: Sessions;
  readonly streams: Streams;
  readonly events: Events<EventMap>;
  readonly peers: Peers;
}

/** Has the changes of accounts take effect on this node: streams end, then modules are told. */
export function applyAccountChanges({ accounts, sessions, streams, events, peers }: AccountChangesOptions): void {
  accounts.onChange((told) => {
    const { account, change, to, reason, source, sessionId, elsewhere } = told;
    const error = endOf(change, reason, to);
    if (error !== undefined) evict(account, error, sessionId);
    if (change === 'moved' || change === 'arrived') events.emit('account.moved', account);
    if (elsewhere && change === 'created') return takeOver(told);
    if (elsewhere) return; // the node where it was done has the modules told
    if (change === 'created') events.emit('account.created', account);
    if (change === 'removed') events.emit('account.removed', account);
    return peers.tell(
      'account',
      JSON.stringify({ account: account.bareText, change, to: to?.bareText, reason, source, sessionId }),
    );
  });
  peers.on('account', (text) => {
    const { account, to, ...change } = JSON.parse(text) as ChangeOnTheWay;
    accounts.changedElsewhere?.({ ...change, account: Jid.parse(account), ...(to && { to: Jid.parse(to) }) });
  });

  /** A directory has come to have an account of this address, which may have been somebody else’s until now. */
  async function takeOver(told: AccountChange): Promise<void> {
    const { account } = told;
    const isHere = sessions.here(account).length > 0 || [...streams].some(({ identity }) => identity?.equals(account));
    if (!isHere || !(await accounts.displaces?.(told))) return;
    evict(account, new StreamError('not-authorized', 'This address is that of another account now.'), undefined);
  }

  function evict(account: Jid, error: StreamError, except: string | undefined): void {
    const here = sessions.here(account);
    const kept = here.find((session) => session.sessionId === except);
    for (const session of here) if (session !== kept) session.end(error);
    // and those that have authenticated, but not bound a resource yet
    for (const stream of streams) {
      if (stream !== kept?.stream && stream.identity?.equals(account)) stream.error(error);
    }
  }

  // an account may be disabled in the moment in which it logs in, or in which its session goes from node to node
  const look = async (session: Session) => {
    if (session.stream.mechanism === 'ANONYMOUS') return;
    const refusal = await accounts.refusal(session.account);
    if (refusal !== undefined) session.end(endOf('disabled', refusal.text));
  };
  events.on('session.bound', look);
  events.on('session.resumed', look);
}

/** Addresses are text on their way. */
type ChangeOnTheWay = Omit<AccountChange, 'account' | 'to'> & { account: string; to?: string };

/** What ends the sessions of an account. */
function endOf(change: AccountChange['change'], reason?: string, to?: Jid): StreamError | undefined {
  switch (change) {
    case 'removed': // XEP-0077 §3.2
      return new StreamError('not-authorized', reason ?? 'This account was removed.');
    case 'disabled':
      return new StreamError('not-authorized', reason ?? 'This account was disabled.');
    case 'moved':
      return new StreamError(
        'not-authorized',
        reason ?? `The address of this account is ${to ?? 'another'} now: log in with that.`,
      );
    case 'password': // RFC 6120 §4.9.3.16
      return new StreamError('reset', reason ?? 'The password was changed: log in with the new one.');
    case 'arrived': // its clients know nothing of what it has now
      return new StreamError('reset', reason ?? 'What the account had at its former address is here: log in again.');
    case 'created':
    case 'enabled':
  }
}
