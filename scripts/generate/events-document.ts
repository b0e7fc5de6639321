import { accountEvents } from '../../packages/server/src/log-events/account-events.ts';
import { clientEvents } from '../../packages/server/src/log-events/client-events.ts';
import { directoryEvents } from '../../packages/server/src/log-events/directory-events.ts';
import { fieldNames } from '../../packages/server/src/log-events/field-names.ts';
import { identityProviderEvents } from '../../packages/server/src/log-events/identity-provider-events.ts';
import { kerberosEvents } from '../../packages/server/src/log-events/kerberos-events.ts';
import { HARMLESS_LIMITS } from '../../packages/server/src/log-events/limit-refusals.ts';
import type { Audited, LogEvent } from '../../packages/server/src/log-events/log-event.ts';
import { nodeEvents } from '../../packages/server/src/log-events/node-events.ts';
import { serverEvents } from '../../packages/server/src/log-events/server-events.ts';
import { stateEvents } from '../../packages/server/src/log-events/state-events.ts';

const HEAD = `# Events

<!-- Made from packages/server/src/log-events by \`npm run generate\`. Do not edit. -->

Each line of the log is an event: \`level\`, \`time\`, \`event\`, then its fields. The names are stable: search and alert by them. A
field is left out where there is nothing to say. Texts from outside are cut, and what would control or falsify a line is
escaped; passwords, SASL messages and what users say are not in it (at \`trace\`, which is for test machines, the last is).

*flood* stands at what others can cause at any rate: a \`warn\` once a second at most, and then one more that counts in
\`omitted\` what was left out.
`;

const SECTIONS: readonly [string, Readonly<Record<string, LogEvent>>][] = [
  ['The node, HTTP and the SNMP agent', nodeEvents],
  ['Clients', clientEvents],
  ['Accounts, and what is stored for them', accountEvents],
  ['The keyspace, the cluster, and sessions that are resumed', stateEvents],
  ['Directories', directoryEvents],
  ['Identity providers', identityProviderEvents],
  ['Kerberos', kerberosEvents],
  ['Other servers and components', serverEvents],
];

const AUDIT = `## The audit stream

Where [\`audit\`](configuration.md#audit) says so, these events are entries of the audit stream, too, whatever the level of the
log. The columns say which field is what; \`address\` is the address. An \`x\` in front marks what others can cause at any rate:
of that \`audit.perSecond\` entries are written in a second, and then \`audit.omitted\`, which counts what was left out. "Each
\`limit\`" says that entries are counted for each limit by itself, so that many of one kind hide none of another. After entries were
lost \`audit.lost\` says how many.

Refusals by policy are those of limits, of domains and servers that the policy closes or does not trust, of accounts that
somebody wanted to make, of components, and of stanzas that are answered with \`forbidden\`, \`not-allowed\`, \`not-authorized\` or
\`policy-violation\`; what a limit refuses to a stanza may be told twice. Limits that refuse nobody anything are in the log alone:
${[...HARMLESS_LIMITS].map((limit) => `\`${limit}\``).join(', ')}.
`;

/** docs/events.md */
export function eventsDocument(): string {
  return [
    HEAD,
    ...SECTIONS.flatMap(([title, events]) => [
      `## ${title}`,
      '',
      '| event | level | fields | meaning | what to do |',
      '| --- | --- | --- | --- | --- |',
      ...Object.entries(events).map(([name, event]) => row(name, event)),
      '',
    ]),
    AUDIT,
    '| event | outcome | actor | subject | reason | only, or counted by |',
    '| --- | --- | --- | --- | --- | --- |',
    ...SECTIONS.flatMap(([, events]) => Object.entries(events).flatMap(auditRow)),
    '',
    '## Fields',
    '',
    '| field | what stands in it |',
    '| --- | --- |',
    ...Object.entries(fieldNames).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`),
    '',
  ].join('\n');
}

function row(name: string, { levels, fields, means, todo }: LogEvent): string {
  const level = levels.map((each) => (each === 'flood' ? '*flood*' : each)).join(', ');
  return `| \`${name}\` | ${level} | ${fields.map((field) => `\`${field}\``).join(', ')} | ${means} | ${todo} |`;
}

function auditRow([name, { audited, levels }]: [string, LogEvent]): string[] {
  if (audited === undefined) return [];
  const { outcome, actor = [], subject, reason, byOthers = levels.includes('flood') } = audited;
  const field = (value: string | undefined) => (value === undefined ? '' : `\`${value}\``);
  const event = `${byOthers ? 'x ' : ''}\`${name}\``;
  const who = [actor].flat().map(field).join(', or ');
  return [`| ${event} | ${outcome} | ${who} | ${field(subject)} | ${field(reason)} | ${conditionOf(audited)} |`];
}

function conditionOf({ when, kinds }: Audited): string {
  const each = kinds === undefined ? '' : `each \`${kinds}\``;
  if (when === undefined || when.field === kinds) return each;
  return `where \`${when.field}\` is ${when.is.map((value) => `\`${value}\``).join(' or ')}`;
}
