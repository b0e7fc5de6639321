import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Metrics } from '@parley/metrics/registry';
import type { Configuration } from '../../config/schema.ts';
import type { Log } from '../../log.ts';
import type { Peers } from '../../peers.ts';
import type { Groups } from '../groups.ts';
import { directorySettings } from './directory-settings.ts';
import { FollowedDirectory } from './following/followed-directory.ts';
import { followGroups, forgetGroups } from './groups/directory-groups.ts';
import { LdapDirectory } from './ldap-directory.ts';
import type { DirectorySettings } from './settings.ts';

export interface DirectoriesOptions {
  readonly config: () => Configuration;
  readonly keyspace: Keyspace;
  readonly peers: Peers;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly groups: Groups;
  readonly onFault: (error: unknown) => void;
}

/** A directory of the configuration, and what follows it. */
export interface ConfiguredDirectory {
  readonly directory: LdapDirectory;
  readonly followed: FollowedDirectory;
}

/** All directories of the configuration, by name. */
export class Directories {
  readonly all: ReadonlyMap<string, ConfiguredDirectory>;
  readonly groups: Groups;
  readonly #onFault: (error: unknown) => void;
  /** By name, what the configuration says of each, with what stands in the files that it names. */
  #said: ReadonlyMap<string, object>;

  /** Throws a ConfigurationError where they cannot be had like this. */
  constructor({ config, keyspace, peers, metrics, log, groups, onFault }: DirectoriesOptions) {
    this.groups = groups;
    this.#onFault = onFault;
    const holder = randomUUID();
    const all = directorySettings(config());
    this.#said = saidIn(config(), all);
    const leaseMs = () => config().cluster.leaseMilliseconds;
    this.all = new Map(
      all.map((settings) => {
        const directory = new LdapDirectory(settings, log, metrics);
        const options = { directory, keyspace, peers, metrics, log, holder, leaseMs, onFault };
        const followed = new FollowedDirectory(options);
        if (settings.groups) followGroups({ directory, followed, settings: settings.groups, groups, keyspace, log });
        return [settings.name, { directory, followed }];
      }),
    );
  }

  /**
   * Looks what of them may change while the node runs, and has changed. What it gives takes it over. Throws a
   * ConfigurationError where it is no good.
   */
  reload(config: Configuration): () => void {
    const all = directorySettings(config);
    const said = saidIn(config, all);
    return () => {
      for (const settings of all) {
        const known = this.all.get(settings.name);
        if (known === undefined || isDeepStrictEqual(said.get(settings.name), this.#said.get(settings.name))) continue;
        known.directory.take(settings);
        known.followed.again();
      }
      this.#said = said;
    };
  }

  /** From now on what changes in them is heard of. */
  start(): void {
    const withGroups = [...this.all].filter(([, { directory }]) => directory.settings.groups !== undefined);
    forgetGroups(this.groups, new Set(withGroups.map(([name]) => name))).catch(this.#onFault);
    for (const { followed } of this.all.values()) followed.start();
  }

  async stop(): Promise<void> {
    this.groups.stop();
    for (const { followed } of this.all.values()) await followed.stop();
    for (const { directory } of this.all.values()) await directory.close();
  }
}

const saidIn = ({ directories }: Configuration, all: readonly DirectorySettings[]): ReadonlyMap<string, object> =>
  new Map(
    all.map(({ name, authorityCertificates }) => [
      name,
      { authorityCertificates, ...structuredClone(directories.find((each) => each.name === name)) },
    ]),
  );
