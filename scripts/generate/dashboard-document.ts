import { type Panel, rows } from './dashboard-panels.ts';

const COLUMNS = 24;
const WIDTH = 8;
const HEIGHT = 8;
const DATA_SOURCE = { type: 'prometheus', uid: '$datasource' };

/** deploy/grafana/parley.json: a dashboard as Grafana 9 and newer imports it. */
export function dashboardDocument(): string {
  const dashboard = {
    uid: 'parley',
    title: 'Parley',
    description: 'Made by `npm run generate` from scripts/generate/dashboard-panels.ts.',
    tags: ['xmpp'],
    schemaVersion: 38,
    editable: true,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus' },
        variable('job', 'label_values(xmpp_sessions, job)', {}),
        variable('instance', 'label_values(xmpp_sessions{job="$job"}, instance)', { multi: true, includeAll: true }),
      ],
    },
    panels: placed(),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

const variable = (name: string, query: string, more: object) => ({
  name,
  type: 'query',
  datasource: DATA_SOURCE,
  query: { query, refId: name },
  refresh: 2,
  sort: 1,
  ...more,
});

/** Three in a line, a heading in front of each row. */
function placed(): object[] {
  const all: object[] = [];
  let y = 0;
  for (const [title, panels] of rows) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: [],
    });
    y++;
    const perLine = COLUMNS / WIDTH;
    for (const [index, panel] of panels.entries()) {
      const gridPos = {
        x: (index % perLine) * WIDTH,
        y: y + Math.floor(index / perLine) * HEIGHT,
        w: WIDTH,
        h: HEIGHT,
      };
      all.push({ id: all.length + 1, gridPos, ...series(panel) });
    }
    y += Math.ceil(panels.length / perLine) * HEIGHT;
  }
  return all;
}

const series = ({ title, unit, about, queries }: Panel) => ({
  type: 'timeseries',
  title,
  description: about,
  datasource: DATA_SOURCE,
  fieldConfig: {
    defaults: { unit, ...(unit !== 'd' && { min: 0 }), custom: { lineWidth: 1, fillOpacity: 10, showPoints: 'never' } },
    overrides: [],
  },
  options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  targets: queries.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: DATA_SOURCE,
    expr,
    legendFormat: legend,
  })),
});
