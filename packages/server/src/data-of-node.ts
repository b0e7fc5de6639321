import type { Keyspace } from '@parley/keyspace/keyspace';
import { embeddedFolder } from './certificates.ts';
import type { DataHost } from './data/administer-data.ts';
import { partsOf } from './data/parts-of.ts';
import { modules } from './modules.ts';
import type { Node } from './node.ts';
import { Session } from './session/session.ts';

const REASON = 'What was imported for the account is here: log in again.';

/** What a running node can do with all that is kept of accounts. */
export function dataOfNode(node: Node, keyspace: Keyspace): DataHost {
  const { accounts, domains } = node;
  return {
    keyspace,
    accounts,
    domains,
    folder: embeddedFolder(node.config),
    parts: partsOf(modules),
    modules,
    tells: true,
    sessions: (account) =>
      node.sessions.of(account).map((session) => ({
        jid: session.jid.toString(),
        ...(session instanceof Session
          ? { address: session.stream.transport.remoteAddress, mechanism: session.stream.mechanism }
          : { elsewhere: true }),
      })),
    config: () => node.config,
    keeps: () => true,
    async changed(account) {
      accounts.changedElsewhere?.({ account, change: 'arrived', reason: REASON });
      const told = JSON.stringify({ account: account.bareText, change: 'arrived', reason: REASON });
      await node.federation.peers.tell('account', told);
    },
  };
}
