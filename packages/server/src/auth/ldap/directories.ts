import { randomUUID } from 'node:crypto';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Metrics } from '@parley/metrics/registry';
import type { Configuration } from '../../config/schema.ts';
import type { Log } from '../../log.ts';
import type { Peers } from '../../peers.ts';
import type { Groups } from '../groups.ts';
import type { Directory } from './directory.ts';
import { directorySettings } from './directory-settings.ts';
import { FollowedDirectory } from './following/followed-directory.ts';
import { followGroups, forgetGroups } from './groups/directory-groups.ts';
import { LdapDirectory } from './ldap-directory.ts';

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
  readonly directory: Directory;
  readonly followed: FollowedDirectory;
}

/** All directories of the configuration, by name. */
export class Directories {
  readonly all: ReadonlyMap<string, ConfiguredDirectory>;
  readonly groups: Groups;
  readonly #onFault: (error: unknown) => void;

  /** Throws a ConfigurationError where they cannot be had like this. */
  constructor({ config, keyspace, peers, metrics, log, groups, onFault }: DirectoriesOptions) {
    this.groups = groups;
    this.#onFault = onFault;
    const holder = randomUUID();
    const leaseMs = () => config().cluster.leaseMilliseconds;
    this.all = new Map(
      directorySettings(config()).map((settings) => {
        const directory = new LdapDirectory(settings, log, metrics);
        const options = { directory, keyspace, peers, metrics, log, holder, leaseMs, onFault };
        const followed = new FollowedDirectory(options);
        if (settings.groups) followGroups({ directory, followed, settings: settings.groups, groups, keyspace, log });
        return [settings.name, { directory, followed }];
      }),
    );
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
