import type { Keyspace } from '@parley/keyspace/keyspace';
import { INTERNAL } from '../../config/directory.ts';
import type { Configuration } from '../../config/schema.ts';
import type { Log } from '../../log.ts';
import { AccountSources } from '../account-sources.ts';
import type { Authenticator } from '../authenticator.ts';
import { GroupAccess } from '../group-access.ts';
import { KeptCounts } from '../kept-counts.ts';
import { PasswordWork } from '../password-work.ts';
import { RawConnection } from './connection/raw-connection.ts';
import { SocketWire } from './connection/socket-wire.ts';
import type { ConfiguredDirectory, Directories } from './directories.ts';
import { DirectoryAuthenticator } from './directory-authenticator.ts';
import { sourcesOf } from './directory-settings.ts';
import { Lookups } from './lookups.ts';
import { LearntVerifiers } from './passwords/learnt-verifiers.ts';
import { ScramRelays } from './passwords/scram-relay.ts';
import { Learning, Reading, type ScramSource } from './passwords/scram-source.ts';

export interface DirectoryAccountsOptions {
  readonly internal: Authenticator;
  readonly directories: Directories;
  readonly keyspace: Keyspace;
  readonly log: Log;
  /** What nodes derive from their shared secret (32 bytes). */
  secret(purpose: string): Buffer;
  config(): Configuration;
}

/** The accounts of all domains: those that the server keeps, where no directory is configured, else a chain of sources. */
export function accountsOf(options: DirectoryAccountsOptions): Authenticator {
  const { internal, directories, config, secret } = options;
  if (directories.all.size === 0) return internal;
  const sources = new Map([[INTERNAL, internal]]);
  for (const [name, configured] of directories.all) sources.set(name, peopleOf(configured, options));
  const accounts = new AccountSources({
    sources,
    of: (domain) => sourcesIn(config(), domain),
    secret: secret('manners of unknown accounts'),
  });
  for (const [name, { followed }] of directories.all) {
    followed.people.onSuccessor((account) => accounts.startAnew(account, name));
  }
  return accounts;
}

const byConfiguration = new WeakMap<Configuration, Map<string, readonly string[]>>();

/** There may be thousands of domains, so they are looked up in a table. */
function sourcesIn(config: Configuration, domain: string): readonly string[] {
  let table = byConfiguration.get(config);
  if (table === undefined) {
    table = new Map(config.domains.map(({ name }) => [name, sourcesOf(name, config)]));
    byConfiguration.set(config, table);
  }
  return table.get(domain) ?? [];
}

function peopleOf(
  { directory, followed: { people } }: ConfiguredDirectory,
  { directories, keyspace, log, secret, config }: DirectoryAccountsOptions,
): DirectoryAuthenticator {
  const { settings } = directory;
  const own = secret(`false verifiers of the directory ${settings.name}`);
  const lookups = new Lookups({ directory, people, log });
  const iterations = () => config().authentication.iterations;
  const work = new PasswordWork();
  const scram = (): ScramSource | undefined => {
    switch (settings.passwords.scram) {
      case 'learn': {
        const learnt = new LearntVerifiers({ keyspace, secret: secret('learnt verifiers'), iterations });
        const counts = new KeptCounts(keyspace, settings.name);
        return new Learning({ settings, learnt, work, secret: own, iterations, counts });
      }
      case 'verifiers':
        return new Reading({ settings, lookups, secret: own, iterations });
    }
  };
  const relays = settings.passwords.scram === 'relay' ? new ScramRelays(relayHost(directory, lookups), own) : undefined;
  const access = new GroupAccess({ groups: directories.groups, allowed: settings.groups?.mayLogIn ?? [], log });
  const parts = { directory, people, lookups, secret: own, log, work, scram: scram(), relays, access };
  return new DirectoryAuthenticator(parts);
}

function relayHost(directory: ConfiguredDirectory['directory'], lookups: Lookups) {
  return {
    deadline: () => directory.deadline(),
    find: lookups.find.bind(lookups),
    isPerson: lookups.isPerson.bind(lookups),
    open: (deadline: number) =>
      lookups.ask(async () => {
        const socket = await directory.socket(deadline);
        return new RawConnection(new SocketWire(socket.unref())); // one that waits keeps no process alive
      }),
  };
}
