import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Log } from '../../log.ts';
import type { Pending } from '../../pending.ts';
import { nextAttempt, untilDone } from '../../session/attempts.ts';
import { within } from '../../within.ts';
import type { AccountChange, Authenticator } from '../authenticator.ts';
import { withoutPassword } from './client-record.ts';
import type { ClientStore } from './client-store.ts';

export interface ClientChangesOptions {
  readonly accounts: Authenticator;
  readonly keyspace: Keyspace;
  readonly store: ClientStore;
  readonly pending: Pending;
  readonly log: Log;
}

/** What ends all that clients of an account have. */
const ENDS: ReadonlySet<AccountChange['change']> = new Set(['removed', 'disabled', 'moved']);
/** So long whoever changes an account waits until its tokens are gone. */
const REVOKE_MS = 5000;

/**
 * Ends the tokens of accounts that are gone or shut, or have another password. Every node does it: one may have given a token
 * before it heard of the change.
 */
export function endTokensOnChange({ accounts, keyspace, store, pending, log }: ClientChangesOptions): void {
  accounts.onChange(({ account, change }) => {
    if (change !== 'password' && !ENDS.has(change)) return;
    const end = () => (change === 'password' ? store.changeAll(account, withoutPassword) : store.removeAll(account));
    const told = untilDone(end, () => nextAttempt(keyspace)).catch((error: Error) => {
      if (!isClosed(error)) log.error('fast.not-revoked', { account: account.toString(), error });
    });
    pending.add(told);
    return within(told, REVOKE_MS);
  });
}

/** The node stops. */
const isClosed = (error: Error) => error instanceof KeyspaceError && error.failure === 'closed';
