import { readFileSync } from 'node:fs';
import { variableOf } from '../../packages/server/src/config/environment.ts';
import { type OptionSchema, optionSchema } from '../../packages/server/src/config/option-schema.ts';
import type { ModuleSettings } from '../../packages/server/src/config/schema.ts';

/** A small file that works, shown in the document. */
export const example = (): string => readFileSync(new URL('configuration-example.yaml', import.meta.url), 'utf8');

const head = (): string => `# Configuration

<!-- Made from packages/server/src/config by \`npm run generate\`. Do not edit. -->

Every option has a default that suits production, so that a file holds only what differs. It is YAML or JSON:

\`\`\`yaml
${example().trimEnd()}
\`\`\`

It is \`parley.yaml\`, \`parley.yml\` or \`parley.json\` in the folder where the node is started, or what
\`parley start --config FILE\` or the variable \`PARLEY_CONFIG\` names. \`parley check\` looks for mistakes in it without
starting anything: it tells all of them at once, with what to write instead. An option that does not exist is a mistake
too. Editors complete and check the file with [configuration.schema.json](configuration.schema.json).

- **Relative paths** start at the directory of the file; without a file, where the node was started.
- **Sizes and times** are plain numbers; the option's name or the table says the unit.
- **Limits** that are 0 are off, where the table says so. Whoever meets a limit is counted in the metric
  \`xmpp.limits.exceeded\` under the name that the table gives.
- **The environment** overrides the file. The variable of an option is \`PARLEY_\` and its path in capitals, with two
  underscores between group and option: \`${variableOf(['limits', 'bytes', 'perSecond'])}=64000\`. Lists are separated by
  commas or written as JSON, groups are JSON.
- **Secrets** need not stand in the file: \`cluster.secretFile\` names a file that holds \`cluster.secret\`
  (\`${variableOf(['cluster', 'secretFile'])}\` in the environment), and likewise for each secret.
- **A reload** (SIGHUP, or \`parley reload\`) takes over what the column *live* marks, tells what waits for a restart,
  and refuses a file with mistakes as a whole.
`;

/** docs/configuration.md */
export function configurationDocument(modules: readonly ModuleSettings[]): string {
  const root = optionSchema(modules);
  const own = Object.entries(root.properties ?? {}).filter(([, option]) => !isGroup(option));
  const groups = Object.entries(root.properties ?? {}).filter(([, option]) => isGroup(option));
  return [
    head(),
    '## Single options',
    '',
    ...table(own),
    ...groups.flatMap(([key, option]) => section(key, option, 2)),
    '',
  ].join('\n');
}

/** True for what takes a chapter: a group, or a list whose entries have groups. */
const isGroup = ({ properties, items }: OptionSchema): boolean =>
  properties !== undefined || Object.values(items?.properties ?? {}).some((entry) => entry.properties);

function section(path: string, option: OptionSchema, level: number): string[] {
  const { properties = {}, required } = option.items ?? option;
  const title = option.items ? `${path}[]` : path;
  const entries = Object.entries(properties);
  const options = entries.filter(([, entry]) => !isGroup(entry));
  const groups = entries.filter(([, entry]) => isGroup(entry));
  return [
    '',
    `${'#'.repeat(level)} ${title}`,
    '',
    ...(option.description ? [option.description, ''] : []),
    ...(options.length === 0 ? [] : table(options, required)),
    ...groups.flatMap(([key, entry]) => section(`${title}.${key}`, entry, level + 1)),
  ].filter((line, index, lines) => line !== '' || lines[index - 1] !== '');
}

const table = (options: [string, OptionSchema][], required: readonly string[] = []): string[] => [
  '| option | default | live | meaning |',
  '| --- | --- | --- | --- |',
  ...options.flatMap(([key, option]) => [
    row(key, option, required.includes(key) ? 'required' : ''),
    ...entryRows(key, option),
  ]),
];

/** The options of each entry of a list. */
const entryRows = (key: string, { items }: OptionSchema): string[] =>
  Object.entries(items?.properties ?? {}).map(([name, option]) =>
    row(`${key}[].${name}`, option, items?.required?.includes(name) ? 'required' : ''),
  );

function row(key: string, option: OptionSchema, missing = ''): string {
  const fallback = option.default === undefined ? missing : shown(option);
  const metric = option.metric === undefined ? '' : ` Counted as \`${option.metric}\`.`;
  return `| \`${key}\` | ${fallback} | ${option.live ? 'yes' : ''} | ${cell(`${option.description}${values(option)}${metric}`)} |`;
}

const values = (option: OptionSchema): string => {
  const list = option.enum ?? option.items?.enum;
  return list === undefined
    ? ''
    : ` One${option.enum ? '' : ' or more'} of ${list.map((value) => `\`${value}\``).join(', ')}.`;
};

function shown({ default: value, unit }: OptionSchema): string {
  if (typeof value === 'number') return `${value.toLocaleString('en').replaceAll(',', ' ')}${unit ? ` ${unit}` : ''}`;
  if (typeof value === 'string') return cell(`\`${value}\``);
  return cell(`\`${JSON.stringify(value)}\``);
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
