import { setTimeout as pause } from 'node:timers/promises';
import type { Keys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { fileOf } from '@parley/keyspace/keyspace-file';
import type { Jid } from '@parley/xmpp/jid';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { AdministrationError } from '../admin/administration-error.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Configuration } from '../config/schema.ts';
import { belongingsOf } from './belongings.ts';

export interface AccountErasureHost {
  readonly keyspace: Keyspace;
  readonly accounts: Authenticator;
  readonly modules: readonly { readonly keys?: readonly Keys[] }[];
  config(): Configuration;
  /** Those that are connected, wherever. */
  sessions(account: Jid): readonly object[];
}

/** Sessions that were told to end are over within this time, or their node is gone. */
const PATIENCE_MS = 5000;
const PAUSE_MS = 20;

/**
 * Erases all that is kept about an account (GDPR, article 17), and resolves with what it could not erase, in sentences. It may be
 * done again, also once there is no account any more.
 */
export async function eraseAccount(account: Jid, host: AccountErasureHost): Promise<string[]> {
  const { keyspace, accounts, config } = host;
  if (accounts.remove === undefined) throw new AdministrationError('refused', KEPT_ELSEWHERE);
  try {
    await accounts.remove(account); // contacts are told, and sessions end
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
    if (error.condition === 'not-allowed') throw new AdministrationError('refused', KEPT_ELSEWHERE);
    if (error.condition !== 'item-not-found') throw error;
  }
  const over = await sessionsEnd(account, host);
  const directories = config().directories.map(({ name }) => name);
  // what was written while its sessions ended, and what a removal leaves where an account may come again
  const keys = belongingsOf(account, host.modules, directories).map(({ key }) => key);
  await keyspace.del(...keys);
  const file = fileOf(keyspace);
  await file?.scrub();
  return [
    ...(over ? [] : ['A session of the account did not end in time: erase it once more.']),
    ...(file === undefined ? [IN_REDIS] : []),
    ...LEFT,
  ];
}

async function sessionsEnd(account: Jid, { sessions }: AccountErasureHost): Promise<boolean> {
  const until = performance.now() + PATIENCE_MS;
  while (sessions(account).length > 0) {
    if (performance.now() > until) return false;
    await pause(PAUSE_MS);
  }
  return true;
}

const KEPT_ELSEWHERE =
  'The account is kept in a directory. Remove the person there first, and then erase what it has left behind here.';

const IN_REDIS =
  'Redis: its append-only file and its snapshots hold what was there until they are written anew (BGREWRITEAOF, BGSAVE).';

const LEFT: readonly string[] = [
  'Log files and the audit stream, with whoever collects them: they name the account until they are rotated away.',
  'Backups and exports, keyspace.before-restore.sqlite among them: after one is restored, erase the account once more.',
  'What others on this server have of it: its address in their contacts, without a subscription, and in their blocklists; messages from it that wait for them.',
  'Messages from it that are on their way to other servers: they arrive there, or have come to their end after federation.queue.seconds.',
  'What other servers keep: they were told that the subscriptions are over.',
];
