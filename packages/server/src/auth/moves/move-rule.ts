import type { Keys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';

/** An account gets another address: bare JIDs. */
export interface Move {
  readonly from: Jid;
  readonly to: Jid;
  /** The new address is that of another account, which moves away from it just now: what is said of it is said of that. */
  readonly displaces?: boolean;
}

/**
 * What becomes of keys of an account that gets another address. Without a rule they go along as they are; where the new
 * address has something of its own already, that stays, and what it lacks is added.
 */
export interface MoveRule {
  readonly keys: Keys;
  /** They tell of sessions, or of what is over soon: nobody needs them at the new address. */
  readonly stays?: true;
  /** A value as the new address has it, or undefined for one that does not go along; `field` is '' unless it is a hash. */
  convert?(value: Buffer, field: string, move: Move): Buffer | undefined;
  /** Puts right what holds for the whole, once all is there. Twice is as good as once. */
  settle?(keyspace: Keyspace, move: Move): Promise<void>;
}
