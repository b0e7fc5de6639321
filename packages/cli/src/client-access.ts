import type { Keyspace } from '@parley/keyspace/keyspace';
import { AdministrationError } from '@parley/server/admin/administration-error';
import { ClientAccess } from '@parley/server/auth/clients/client-access';
import { clientLimits } from '@parley/server/auth/clients/client-limits';
import { ClientStore } from '@parley/server/auth/clients/client-store';
import { RevokedGrants } from '@parley/server/auth/clients/revoked-grants';
import type { Configuration } from '@parley/server/config/schema';
import { Peers } from '@parley/server/peers';
import { Sessions } from '@parley/server/session/sessions';
import { Streams } from '@parley/server/stream/streams';
import { someNodeRuns } from './some-node-runs.ts';

/** The clients of accounts where no node runs here: nobody is connected, and tokens are in the keyspace. */
export function clientAccess(
  keyspace: Keyspace,
  config: Configuration,
  secret: (purpose: string) => Buffer,
): ClientAccess {
  return new ClientAccess({
    store: new ClientStore(keyspace, () => clientLimits(config)),
    revoked: new RevokedGrants(keyspace),
    sessions: new Sessions(),
    streams: new Streams(),
    peers: peersOf(keyspace),
    secret: secret('names of clients'),
  });
}

/** Whoever is logged in elsewhere would stay so: the tokens are gone, and the rest has to be done there. */
function peersOf(keyspace: Keyspace): Peers {
  const peers = new Peers();
  peers.connect(async () => {
    if (!(await someNodeRuns(keyspace))) return;
    throw new AdministrationError(
      'refused',
      'The tokens are good for nothing any more, but nodes run elsewhere, and who is logged in there stays: do the same where one runs.',
    );
  });
  return peers;
}
