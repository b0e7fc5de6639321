import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import type { Ledger } from './ledger.ts';
import type { Timeline } from './timeline.ts';

export interface Report {
  readonly timeline: Timeline;
  readonly cluster: Cluster;
  readonly ledger: Ledger;
  readonly figures: object;
}

/** Problems that are told in full; the file has all of them. */
const TOLD = 20;

/** Writes down everything that happened, for whoever looks for its reasons. The first problems, and where the rest is. */
export function tell({ timeline, cluster, ledger, figures }: Report): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-chaos-'));
  for (const node of cluster.nodes) {
    node.tell();
    writeFileSync(join(folder, `${node.name}.log`), node.log.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
  const problems = ledger.mostTelling().map((problem) => ledger.describe(problem));
  const file = join(folder, 'timeline.txt');
  writeFileSync(file, `${[...problems, '', JSON.stringify(figures), '', ''].join('\n')}${timeline}`);
  const first = problems.slice(0, TOLD);
  if (problems.length > TOLD) first.push(`… and ${problems.length - TOLD} more`);
  return [...first, `The time line is in ${file}, and the logs of the nodes are beside it.`].join('\n');
}
