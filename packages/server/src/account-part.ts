import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import type { Configuration } from './config/schema.ts';

/** What a part works with. */
export interface PartHost {
  readonly keyspace: Keyspace;
  readonly config: Configuration;
}

/** Something of an account that can be taken from one server to another (XEP-0227): what a module keeps of it. */
export interface AccountPart {
  /** What it is, for whoever reads of it: `the roster`. */
  readonly what: string;
  /** Whether it reads this child of a `<user/>`, of which there may be the start tag alone so far. */
  reads(element: Element): boolean;
  /** What the account has, as children of its `<user/>`: XML text that stands for itself, in pieces. */
  write(account: Jid, host: PartHost): AsyncIterable<string>;
  /**
   * Adds what is in a child of `<user/>` to what the account has; twice is as good as once. What it has stays as it is.
   * Resolves with what could not be taken, and why, in sentences.
   */
  read(account: Jid, element: Element, host: PartHost): Promise<readonly string[]>;
  /** Takes away what the account has, for what is read next. */
  clear(account: Jid, host: PartHost): Promise<void>;
}
