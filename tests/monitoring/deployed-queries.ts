import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rows } from '../../scripts/generate/dashboard-panels.ts';

export const fileOf = (path: string): string => fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url));

export interface DashboardQuery {
  readonly title: string;
  readonly expr: string;
  readonly mayBeEmpty: boolean;
}

interface Target {
  readonly expr: string;
}

/** The queries of the dashboard as it is imported, and which of them need something that not every cluster has. */
export function dashboardQueries(): DashboardQuery[] {
  const { panels } = JSON.parse(readFileSync(fileOf('grafana/parley.json'), 'utf8')) as {
    panels: { title: string; targets?: Target[] }[];
  };
  const declared = rows.flatMap(([, all]) => all).flatMap(({ queries }) => queries);
  const mayBeEmpty = new Set(declared.filter((query) => query.mayBeEmpty).map(({ expr }) => expr));
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expr, mayBeEmpty: mayBeEmpty.has(expr) })),
  );
}

/** A query as Grafana sends it. */
export const filledIn = (expr: string, range: string): string =>
  expr.replaceAll('$job', 'parley').replaceAll('$instance', '.+').replaceAll('$__rate_interval', range);
