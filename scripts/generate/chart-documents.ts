import type { ModuleSettings } from '../../packages/server/src/config/schema.ts';
import { BY_CHART, chartConfiguration } from './chart-configuration.ts';
import { type ChartValue, schemasOf, strict } from './chart-value.ts';
import { chartValues, helmsOwn } from './chart-values.ts';

type Values = Readonly<Record<string, ChartValue>>;

const CONFIG = 'The configuration of Parley (docs/configuration.md), without what the chart writes itself.';

/** helm/parley/values.schema.json */
export function chartSchema(modules: readonly ModuleSettings[]): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Values of the chart of Parley',
    ...strict({
      config: { ...(chartConfiguration(modules) as object), description: CONFIG },
      ...schemasOf(chartValues),
      ...helmsOwn,
    }),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** helm/parley/values.yaml */
export function chartDefaults(): string {
  return [
    '# Made from scripts/generate/chart-values.ts by `npm run generate`. Do not edit: write what differs into a file of your',
    '# own (helm install -f FILE). docs/kubernetes.md says how to begin.',
    '',
    `# ${CONFIG}`,
    'config: {}',
    ...Object.entries(chartValues as Values).flatMap(([name, each]) => ['', ...described(name, each, '')]),
    '',
  ].join('\n');
}

const WIDTH = 120;

function described(name: string, { description, fallback, values }: ChartValue, indent: string): string[] {
  const comment = wrapped(description, WIDTH - indent.length - 2).map((line) => `${indent}# ${line}`);
  if (values === undefined) return [...comment, `${indent}${name}: ${JSON.stringify(fallback)}`];
  const inside = Object.entries(values).flatMap(([key, each]) => described(key, each, `${indent}  `));
  return [...comment, `${indent}${name}:`, ...inside];
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** helm/parley/README.md */
export function chartReadme(): string {
  return `# The Helm chart of Parley

<!-- Made from scripts/generate/chart-values.ts by \`npm run generate\`. Do not edit. -->

[docs/kubernetes.md](../../docs/kubernetes.md) leads from nothing to a cluster. Here is every value. Others are refused.

| value | default | meaning |
| --- | --- | --- |
| \`config\` | \`{}\` | ${CONFIG.replace('docs/configuration.md', '[docs/configuration.md](../../docs/configuration.md)')} |
${Object.entries(chartValues as Values)
  .flatMap(([name, each]) => rows(name, each))
  .join('\n')}

## What may not stand in \`config\`

Secrets, for one: name a file in their place (\`passwordFile\` and the like), which comes from a Secret by \`files\`. And what the
chart writes itself:

| option | comes from |
| --- | --- |
${[...BY_CHART].map(([option, from]) => `| \`${option}\` | ${from} |`).join('\n')}
`;
}

function rows(path: string, { description, fallback, values }: ChartValue): string[] {
  const about = description.replaceAll('|', '\\|');
  if (values === undefined) return [`| \`${path}\` | \`${JSON.stringify(fallback)}\` | ${about} |`];
  const inside = Object.entries(values).flatMap(([key, each]) => rows(`${path}.${key}`, each));
  return [`| \`${path}\` | | ${about} |`, ...inside];
}
