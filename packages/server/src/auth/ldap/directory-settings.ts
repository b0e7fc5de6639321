import { readFileSync } from 'node:fs';
import { type DirectoryConfiguration, INTERNAL } from '../../config/directory.ts';
import { ConfigurationError, type Problem } from '../../config/problem.ts';
import type { Configuration } from '../../config/schema.ts';
import { ConfiguredFilterError, configuredFilter } from './configured-filter.ts';
import { type GroupSettings, groupSettings, memberAttributes } from './group-settings.ts';
import { changeAttributes } from './password-mark.ts';
import { stateRules } from './person-state.ts';
import { presets } from './presets.ts';
import type { DirectorySettings } from './settings.ts';

/** The directories of a configuration, with what their types fill in. Throws a ConfigurationError with all that is wrong. */
export function directorySettings(config: Configuration): DirectorySettings[] {
  const problems: Problem[] = [];
  const settings = config.directories.map((each, index) =>
    settingsOf(each, domainsOf(each.name, config), (path, problem, cure) =>
      problems.push({ path: `directories[${index}].${path}`, problem, cure }),
    ),
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  return settings.filter((each) => each !== undefined);
}

/** Where the accounts of a domain come from, in the order in which they are asked. */
export function sourcesOf(domain: string, config: Configuration): readonly string[] {
  const own = config.domains.find(({ name }) => name === domain)?.accounts;
  return own ?? config.authentication.accounts ?? [INTERNAL];
}

const domainsOf = (directory: string, config: Configuration): Set<string> =>
  new Set(config.domains.map(({ name }) => name).filter((name) => sourcesOf(name, config).includes(directory)));

function settingsOf(
  config: DirectoryConfiguration,
  domains: ReadonlySet<string>,
  report: (path: string, problem: string, cure: string) => void,
): DirectorySettings | undefined {
  const preset = presets[config.type];
  const { people } = config;
  const own = { ...preset, state: people.state === undefined ? preset.state : stateRules[people.state] };
  const id = people.id ?? preset.id;
  let filter: DirectorySettings['people']['filter'];
  try {
    filter = configuredFilter(people.filter ?? preset.peopleFilter);
  } catch (error) {
    if (!(error instanceof ConfiguredFilterError)) throw error;
    report('people.filter', error.message, 'write it as (objectClass=person)');
    return undefined;
  }
  let groups: GroupSettings | undefined;
  try {
    groups = groupSettings(config.groups, config.type);
  } catch (error) {
    if (!(error instanceof ConfiguredFilterError)) throw error;
    report('groups.filter', error.message, 'write it as (objectClass=group)');
    return undefined;
  }
  const forGroups = groups === undefined ? [] : memberAttributes(groups);
  const needed = [id, people.address, ...own.state.attributes, ...changeAttributes(config), ...forGroups];
  const attributes = [...new Set(needed)];
  return {
    ...config,
    preset: own,
    people: { ...people, filter, id, attributes },
    groups,
    domains,
    authorityCertificates: authoritiesOf(config, report),
  };
}

function authoritiesOf(
  { authorities }: DirectoryConfiguration,
  report: (path: string, problem: string, cure: string) => void,
): string | undefined {
  if (authorities === undefined) return undefined;
  try {
    const text = readFileSync(authorities, 'utf8');
    if (text.includes('-----BEGIN CERTIFICATE')) return text;
    report('authorities', `names ${authorities}, which holds no certificate`, 'name a PEM file');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    report('authorities', `names ${authorities}, which cannot be read (${code})`, 'name a file that can');
  }
  return undefined;
}
