import { writeFileSync } from 'node:fs';
import { publicSchema } from '../../packages/server/src/config/option-schema.ts';
import { moduleSettings } from '../../packages/server/src/module.ts';
import { modules } from '../../packages/server/src/modules.ts';
import { authenticationDocument } from './authentication-document.ts';
import { chartDefaults, chartReadme, chartSchema } from './chart-documents.ts';
import { chartRules } from './chart-rules.ts';
import { configurationDocument } from './configuration-document.ts';
import { dashboardDocument } from './dashboard-document.ts';
import { doapDocument } from './doap-document.ts';
import { eventsDocument } from './events-document.ts';
import { keyspaceDocument } from './keyspace-document.ts';
import { metricsDocument } from './metrics-document.ts';
import { xepsDocument } from './xeps-document.ts';

const settings = moduleSettings(modules);

/** Every document that is made from the code, by its path in the repository. */
export const documents: ReadonlyMap<string, () => string> = new Map([
  ['docs/metrics.md', metricsDocument],
  ['docs/events.md', eventsDocument],
  ['docs/configuration.md', () => configurationDocument(settings)],
  ['docs/authentication.md', authenticationDocument],
  ['docs/keyspace.md', keyspaceDocument],
  ['docs/xeps.md', xepsDocument],
  ['doap.xml', doapDocument],
  ['deploy/grafana/parley.json', dashboardDocument],
  ['docs/configuration.schema.json', () => `${JSON.stringify(publicSchema(settings), null, 2)}\n`],
  ['helm/parley/values.schema.json', () => chartSchema(settings)],
  ['helm/parley/values.yaml', chartDefaults],
  ['helm/parley/README.md', chartReadme],
  ['helm/parley/files/parley.rules.yml', chartRules],
]);

export const pathOf = (document: string): URL => new URL(`../../${document}`, import.meta.url);

if (import.meta.main) {
  for (const [document, make] of documents) {
    writeFileSync(pathOf(document), make());
    process.stdout.write(`${document}\n`);
  }
}
