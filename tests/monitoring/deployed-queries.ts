import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const fileOf = (path: string): string => fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url));

export interface DashboardQuery {
  readonly title: string;
  readonly expr: string;
}

interface Target {
  readonly expr: string;
}

/** The queries of the dashboard as it is imported. */
export function dashboardQueries(): DashboardQuery[] {
  const { panels } = JSON.parse(readFileSync(fileOf('grafana/parley.json'), 'utf8')) as {
    panels: { title: string; targets?: Target[] }[];
  };
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
}

/** A query as Grafana sends it. */
export const filledIn = (expr: string, range: string): string =>
  expr.replaceAll('$job', 'parley').replaceAll('$instance', '.+').replaceAll('$__rate_interval', range);
