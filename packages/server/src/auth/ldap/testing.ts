/** Directories for tests. */
import { onTestFinished } from 'vitest';
import type { Slapd } from '../../../../../tests/services/slapd.ts';
import { PEOPLE, SERVICE } from '../../../../../tests/services/slapd-files.ts';
import type { Configuration } from '../../config/schema.ts';
import { configurationSchema } from '../../config/schema.ts';
import { Log } from '../../log.ts';
import { directorySettings } from './directory-settings.ts';
import { LdapDirectory } from './ldap-directory.ts';
import type { DirectorySettings } from './settings.ts';

/** One `directories` entry of a configuration that fits a test's slapd. */
export const directoryEntry = (slapd: Slapd, more: object = {}): object => ({
  name: 'corp',
  servers: [slapd.url],
  authorities: slapd.authorities,
  bind: { dn: SERVICE.dn, password: SERVICE.password },
  people: { base: PEOPLE },
  ...more,
});

/** The settings of the first of these directories, with the accounts of the domain localhost in it. */
export function settingsFor(entry: object, domains: unknown = ['localhost']): DirectorySettings {
  const config: Configuration = configurationSchema().parse({
    domains,
    authentication: { accounts: ['corp'] },
    directories: [entry],
  });
  const [settings] = directorySettings(config);
  if (settings === undefined) throw new Error('There is no directory.');
  return settings;
}

/** A directory that is closed with the test. */
export function directoryOf(slapd: Slapd, more: object = {}, log = Log.create({ level: 'silent' })): LdapDirectory {
  const directory = new LdapDirectory(settingsFor(directoryEntry(slapd, more)), log);
  onTestFinished(() => directory.close());
  return directory;
}
