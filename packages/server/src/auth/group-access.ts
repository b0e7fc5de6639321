import type { Jid } from '@parley/xmpp/jid';
import type { Log } from '../log.ts';
import type { Refusal } from './authenticator.ts';
import type { Groups } from './groups.ts';

export interface GroupAccessOptions {
  readonly groups: Groups;
  /** Names of groups whose members may log in; none: everybody may. */
  readonly allowed: readonly string[];
  readonly log: Log;
}

const OUTSIDE: Refusal = {
  condition: 'account-disabled',
  text: 'Your account is in no group whose members may log in here.',
};
/** None of the groups is known: they are still being read, or their names are wrong. */
const UNKNOWN: Refusal = { condition: 'temporary-auth-failure', text: 'It is not known yet who may log in.' };

/** Lets only the members of some groups log in. */
export class GroupAccess {
  readonly #options: GroupAccessOptions;

  constructor(options: GroupAccessOptions) {
    this.#options = options;
  }

  /** Why the account may not log in; undefined where it may. */
  refusal(account: Jid): Refusal | undefined {
    const { groups, allowed, log } = this.#options;
    if (allowed.length === 0 || groups.isMemberOfAny(account, allowed)) return undefined;
    if (allowed.some((name) => groups.isKnown(name))) return OUTSIDE;
    log.flood('directory.no-group', { groups: allowed.join(', '), message: 'None of `groups.mayLogIn` is known.' });
    return UNKNOWN;
  }

  /** Called with those who may not log in any more, on every node. */
  onLost(listener: (account: Jid, refusal: Refusal) => void): void {
    const { groups, allowed } = this.#options;
    if (allowed.length === 0) return;
    groups.onSettled(({ concerned }) => {
      for (const account of concerned) {
        const refusal = this.refusal(account);
        if (refusal !== undefined) listener(account, refusal);
      }
    });
  }
}
