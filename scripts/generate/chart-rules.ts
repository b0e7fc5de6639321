import { readFileSync } from 'node:fs';

const RULES = new URL('../../deploy/prometheus/parley.rules.yml', import.meta.url);

/** What the template of the chart replaces by the job of its release. */
const JOB = 'job="parley"';

/**
 * helm/parley/files/parley.rules.yml: the alerts, each of them only about the nodes that are scraped as the job parley. In a
 * cluster with several releases each has its own job and its own alerts.
 */
export function chartRules(): string {
  let inExpression = false;
  const lines = readFileSync(RULES, 'utf8').split('\n');
  const chosen = lines.map((line) => {
    const key = /^ *(?:- )?([a-z]+):/.exec(line)?.[1];
    if (key !== undefined) inExpression = key === 'expr';
    return inExpression ? ofJob(line) : line;
  });
  const [, ...rest] = chosen.join('\n').split('\ngroups:');
  return `# Made from deploy/prometheus/parley.rules.yml by \`npm run generate\`. Do not edit.\ngroups:${rest.join('')}`;
}

/** Has every selector in a line of PromQL choose the job, too. What stands in quotes is left as it is. */
function ofJob(line: string): string {
  return line
    .split(/("[^"]*")/)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part
            .replace(/\b((?:xmpp|parley)_[a-z_]+)(\{)?/g, (_, name, brace) =>
              brace === undefined ? `${name}{${JOB}}` : `${name}{${JOB}, `,
            )
            .replace('{__name__', `{${JOB}, __name__`),
    )
    .join('');
}
