import { readFileSync } from 'node:fs';
import { type DirectoryConfiguration, INTERNAL } from '../../config/directory.ts';
import { ConfigurationError, type Problem } from '../../config/problem.ts';
import type { Configuration } from '../../config/schema.ts';
import { ConfiguredFilterError, configuredFilter } from './configured-filter.ts';
import {
  type GroupSettings,
  groupSettings,
  memberAttributes,
  type NamesOfGroups,
  namesIn,
} from './groups/group-settings.ts';
import { changeAttributes } from './passwords/password-mark.ts';
import { stateRules } from './person-state.ts';
import { presets } from './presets.ts';
import type { DirectorySettings } from './settings.ts';

/** The directories of a configuration, with what their types fill in. Throws a ConfigurationError with all that is wrong. */
export function directorySettings(config: Configuration): DirectorySettings[] {
  const problems: Problem[] = [];
  const names = new Set(config.directories.map(({ name }) => name));
  const settings = config.directories.map((each, index) =>
    settingsOf(each, domainsOf(each.name, config), namesIn(each.name, names), (path, problem, cure) =>
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
  inFull: NamesOfGroups,
  report: (path: string, problem: string, cure: string) => void,
): DirectorySettings | undefined {
  const preset = presets[config.type];
  const { people } = config;
  const { allow } = config.search;
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
    groups = groupSettings(config.groups, config.type, inFull);
  } catch (error) {
    if (!(error instanceof ConfiguredFilterError)) throw error;
    report('groups.filter', error.message, 'write it as (objectClass=group)');
    return undefined;
  }
  const forGroups = groups === undefined ? [] : memberAttributes(groups);
  const needed = [id, people.address, ...own.state.attributes, ...changeAttributes(config), ...forGroups];
  const attributes = [...new Set(needed)];
  const deciding = [id, people.address, ...own.state.attributes, ...decidingElsewhere(config, groups)];
  for (const field of writableAnd(deciding, config)) {
    const problem = `lets people write ${field}, which decides who they are and whether they may log in`;
    report('vcard.writable', problem, 'leave it to those who administer the directory');
  }
  return {
    ...config,
    preset: own,
    people: { ...people, filter, id, attributes },
    groups,
    search: { ...config.search, allow: typeof allow === 'string' ? allow : inFull(allow) },
    domains,
    authorityCertificates: authoritiesOf(config, report),
  };
}

/** Whoever could write one of them could have the account of somebody else. */
const decidingElsewhere = ({ passwords }: DirectoryConfiguration, groups: GroupSettings | undefined): string[] => [
  ...[passwords.verifiers, 'userPassword', 'unicodePwd', 'memberOf', 'objectClass'],
  ...(groups === undefined ? [] : [groups.login, ...groups.logins, ...groups.members]),
  ...(groups?.primary === undefined ? [] : [groups.primary.number]),
];

/** Fields that people may write, of which an attribute is one of these. */
function writableAnd(attributes: readonly string[], { vcard }: DirectoryConfiguration): string[] {
  const names = new Set(attributes.map((name) => name.toLowerCase()));
  const fields: Record<string, readonly string[]> = vcard.fields;
  return vcard.writable.filter((field) => fields[field]?.some((name) => names.has(name.toLowerCase())));
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
