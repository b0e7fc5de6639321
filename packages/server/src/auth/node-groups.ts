import type { Jid } from '@parley/xmpp/jid';
import type { Configuration } from '../config/schema.ts';
import type { Events } from '../events.ts';
import type { EventMap } from '../hooks.ts';
import type { Sessions } from '../session/sessions.ts';
import { Groups, type GroupsOptions } from './groups.ts';
import { Roles } from './roles.ts';

export interface NodeGroupsOptions extends Omit<GroupsOptions, 'letsGuestsIn'> {
  readonly sessions: Sessions;
  readonly events: Events<EventMap>;
  config(): Configuration;
  /** What the node does before anybody can connect. */
  readonly starts: (() => Promise<void>)[];
}

/** The groups as a node knows them, and what their members may do there. */
export class NodeGroups extends Groups {
  readonly #roles: Roles;

  constructor({ sessions, events, config, starts, ...options }: NodeGroupsOptions) {
    super({ ...options, letsGuestsIn: (domain) => mechanismsOf(domain, config()).includes('ANONYMOUS') });
    const roles = new Roles(config, this);
    this.#roles = roles;
    starts.push(() => this.start());
    events.on('keyspace.changed', () => this.load()); // what answers from now on lacks the newest changes
    roles.onChange((accounts) => {
      for (const account of accounts) {
        for (const { stream } of sessions.here(account)) stream.unlimited = roles.isAdmin(account);
      }
    });
  }

  /** Whether the account administers the server, because it is named or because of a group. */
  isAdmin(account: Jid): boolean {
    return this.#roles.isAdmin(account);
  }
}

const mechanismsOf = (domain: string, { domains, authentication }: Configuration): readonly string[] =>
  domains.find(({ name }) => name === domain)?.mechanisms ?? authentication.mechanisms;
