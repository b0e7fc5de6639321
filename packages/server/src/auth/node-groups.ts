import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import type { Configuration } from '../config/schema.ts';
import type { Events } from '../events.ts';
import type { EventMap } from '../hooks.ts';
import type { Peers } from '../peers.ts';
import type { Sessions } from '../session/sessions.ts';
import { Groups } from './groups.ts';
import { Roles } from './roles.ts';

export interface NodeGroupsOptions {
  readonly keyspace: Keyspace;
  readonly peers: Peers;
  readonly sessions: Sessions;
  readonly events: Events<EventMap>;
  config(): Configuration;
  onFault(error: unknown): void;
}

/** The groups that a node knows, and what their members may do. */
export function groupsOf({ keyspace, peers, sessions, events, config, onFault }: NodeGroupsOptions) {
  const letsGuestsIn = (domain: string) => {
    const { domains, authentication } = config();
    const own = domains.find(({ name }) => name === domain)?.mechanisms;
    return (own ?? authentication.mechanisms).includes('ANONYMOUS');
  };
  const groups = new Groups({ keyspace, peers, letsGuestsIn, onFault });
  const roles = new Roles(config, groups);
  // what answers from now on lacks the newest changes
  events.on('keyspace.changed', () => groups.load());
  roles.onChange((accounts) => {
    for (const account of accounts) {
      for (const { stream } of sessions.here(account)) stream.unlimited = roles.isAdmin(account);
    }
  });
  return { groups, isAdmin: (account: Jid) => roles.isAdmin(account) };
}
