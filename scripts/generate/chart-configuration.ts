import { type OptionSchema, optionSchema, publicOption } from '../../packages/server/src/config/option-schema.ts';
import type { ModuleSettings } from '../../packages/server/src/config/schema.ts';

/** What the chart writes into the configuration itself, from values of its own: two places could disagree. */
export const BY_CHART: ReadonlyMap<string, string> = new Map([
  ['listen', '`clients`, `federation`, `components` and `listenHost`'],
  ['keyspace.url', '`redis.url`'],
  ['keyspace.password', '`redis.passwordSecret`'],
  ['keyspace.passwordFile', '`redis.passwordSecret`'],
  ['keyspace.durability', 'nothing: nodes keep no state'],
  ['cluster.secret', '`cluster.secret`'],
  ['cluster.secretFile', '`cluster.secret`'],
  ['cluster.name', 'the name of the pod'],
  ['tls.certificate', '`tls`'],
  ['tls.key', '`tls`'],
  ['admin', 'nothing: the socket is inside the pod'],
  ['audit.file', 'nothing: it would go with the pod; `audit.syslog` goes elsewhere'],
  ['drain.seconds', '`drain.seconds`'],
  ['drain.now', 'nothing: it would hold for all nodes at once'],
  ['snmp.host', '`snmp`'],
  ['snmp.port', '`snmp`'],
  ['snmp.agentx', '`snmp.agentx`'],
  ['snmp.metrics', 'nothing: Prometheus scrapes the nodes'],
]);

/** What may stand under `config`: the configuration, without what the chart writes and without secrets. */
export function chartConfiguration(modules: readonly ModuleSettings[]): unknown {
  return publicOption(without(optionSchema(modules), ''));
}

function without(option: OptionSchema, path: string): OptionSchema {
  const { properties, items, anyOf, required, pattern, ...rest } = option;
  const kept = Object.entries(properties ?? {}).flatMap(([key, entry]): [string, OptionSchema][] => {
    const here = path === '' ? key : `${path}.${key}`;
    return BY_CHART.has(here) || entry.secret ? [] : [[key, without(entry, here)]];
  });
  return {
    ...rest,
    ...(pattern && { pattern: forHelm(pattern) }),
    ...(properties && { properties: Object.fromEntries(kept) }),
    ...(items && { items: without(items, `${path}[]`) }),
    ...(anyOf && { anyOf: anyOf.map((each) => without(each, path)) }),
    ...(required && { required: required.filter((key) => kept.some(([name]) => name === key)) }),
  };
}

/** Helm's regular expressions (RE2) know no large repetitions; the node counts them again. */
const forHelm = (pattern: string): string => pattern.replaceAll(/\)\{1,\d{3,}\}/g, ')+');
