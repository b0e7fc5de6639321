import type { Jid } from '@parley/xmpp/jid';
import type { Configuration } from '../config/schema.ts';
import type { Groups } from './groups.ts';

/** Who may do what beyond the usual: by name, or as a member of a group, from the moment on in which that changes. */
export class Roles {
  readonly #config: () => Pick<Configuration, 'admins' | 'adminGroups'>;
  readonly #groups: Groups;

  constructor(config: () => Pick<Configuration, 'admins' | 'adminGroups'>, groups: Groups) {
    this.#config = config;
    this.#groups = groups;
  }

  isAdmin(account: Jid): boolean {
    const { admins, adminGroups } = this.#config();
    return admins.includes(account.bareText) || this.#groups.isMemberOfAny(account, adminGroups);
  }

  /** Called with the accounts that may have come to administer the server, or ceased to. */
  onChange(listener: (accounts: readonly Jid[]) => void): void {
    this.#groups.onChange(({ concerned }) => {
      if (this.#config().adminGroups.length > 0) listener(concerned);
    });
  }
}
