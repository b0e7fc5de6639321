import { isWithin, type Oid } from '../protocol/oid.ts';
import { type AnyTable, type MibModule, MODULE, type ObjectType, ownIndex } from './definition.ts';

const WIDTH = 66;

/** A module in SMIv2 (RFC 2578), for managers. */
export function mibText<State>(module: MibModule<State>, base: Oid): string {
  const { scalars, tables, notifications } = module;
  const objects = [...scalars, ...tables.flatMap(({ columns }) => columns)].map(({ name }) => name);
  return [
    head(module, base),
    ...scalars.map((scalar, index) => objectType(scalar, 'read-only', `xmppCluster ${index + 1}`)),
    ...tables.map((table, index) => tableText(table, index + 2)),
    ...notifications.map(
      ({ name, objects: told, description }, index) => `${name} NOTIFICATION-TYPE
    OBJECTS     { ${told.join(', ')} }
    STATUS      current
    DESCRIPTION
${quoted(description)}
    ::= { xmppServerNotifications ${index + 1} }
`,
    ),
    conformance(
      objects,
      notifications.map(({ name }) => name),
    ),
    'END',
  ].join('\n');
}

function head<State>({ name, description, updated }: MibModule<State>, base: Oid): string {
  return `${name} DEFINITIONS ::= BEGIN

IMPORTS
    MODULE-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE, enterprises,
    Integer32, Unsigned32, Gauge32, Counter64
        FROM SNMPv2-SMI
    TimeStamp
        FROM SNMPv2-TC
    MODULE-COMPLIANCE, OBJECT-GROUP, NOTIFICATION-GROUP
        FROM SNMPv2-CONF
    SnmpAdminString
        FROM SNMP-FRAMEWORK-MIB;

xmppServerMIB MODULE-IDENTITY
    LAST-UPDATED "${updated}"
    ORGANIZATION "Parley"
    CONTACT-INFO
        "See the documentation of the server."
    DESCRIPTION
${quoted(description)}
    REVISION     "${updated}"
    DESCRIPTION
        "First version."
    ::= { ${arcOf(base).at(-1)?.name} ${MODULE} }

${arcOf(base)
  .map(({ name, place }) => `${name} OBJECT IDENTIFIER ::= { ${place} }`)
  .join('\n')}
xmppServerNotifications OBJECT IDENTIFIER ::= { xmppServerMIB 0 }
xmppServerObjects       OBJECT IDENTIFIER ::= { xmppServerMIB 1 }
xmppServerConformance   OBJECT IDENTIFIER ::= { xmppServerMIB 2 }
xmppCluster             OBJECT IDENTIFIER ::= { xmppServerObjects 1 }
`;
}

const ENTERPRISES: Oid = [1, 3, 6, 1, 4, 1];

/** The nodes that lead to the base, one by one, so that none is without a name. */
function arcOf(base: Oid): { name: string; place: string }[] {
  if (base.length <= ENTERPRISES.length || !isWithin(base, ENTERPRISES)) {
    throw new RangeError('The base of the MIB has to lie below 1.3.6.1.4.1 (enterprises).');
  }
  const numbers = base.slice(ENTERPRISES.length);
  const name = (index: number) => (index < 0 ? 'enterprises' : `xmppServerArc${index + 1}`);
  return numbers.map((number, index) => ({ name: name(index), place: `${name(index - 1)} ${number}` }));
}

function objectType({ name, syntax, description, units }: ObjectType, access: string, place: string): string {
  const unit = units === undefined ? '' : `\n    UNITS       "${units}"`;
  return `${name} OBJECT-TYPE
    SYNTAX      ${syntax.text}${unit}
    MAX-ACCESS  ${access}
    STATUS      current
    DESCRIPTION
${quoted(description)}
    ::= { ${place} }
`;
}

function tableText<State>(table: AnyTable<State>, number: number): string {
  const { name, description, index, implied, columns } = table;
  const entry = `${name[0]?.toUpperCase()}${name.slice(1)}Entry`;
  const all = [...ownIndex(table), ...columns];
  const parts = index.map((part) => (typeof part === 'string' ? part : part.name));
  if (implied) parts.push(`IMPLIED ${parts.pop()}`);
  const own = new Set(ownIndex(table));
  return `${name}Table OBJECT-TYPE
    SYNTAX      SEQUENCE OF ${entry}
    MAX-ACCESS  not-accessible
    STATUS      current
    DESCRIPTION
${quoted(description)}
    ::= { xmppServerObjects ${number} }

${name}Entry OBJECT-TYPE
    SYNTAX      ${entry}
    MAX-ACCESS  not-accessible
    STATUS      current
    DESCRIPTION
        "One row of ${name}Table."
    INDEX       { ${parts.join(', ')} }
    ::= { ${name}Table 1 }

${entry} ::= SEQUENCE {
${all.map((column) => `    ${column.name.padEnd(34)} ${column.syntax.type}`).join(',\n')}
}

${all
  .map((column, place) =>
    objectType(column, own.has(column) ? 'not-accessible' : 'read-only', `${name}Entry ${place + 1}`),
  )
  .join('\n')}`;
}

function conformance(objects: readonly string[], notifications: readonly string[]): string {
  return `xmppServerCompliances OBJECT IDENTIFIER ::= { xmppServerConformance 1 }
xmppServerGroups      OBJECT IDENTIFIER ::= { xmppServerConformance 2 }

xmppServerCompliance MODULE-COMPLIANCE
    STATUS      current
    DESCRIPTION
        "What an agent of this module serves."
    MODULE
        MANDATORY-GROUPS { xmppServerObjectGroup,
                           xmppServerNotificationGroup }
    ::= { xmppServerCompliances 1 }

xmppServerObjectGroup OBJECT-GROUP
    OBJECTS {
${wrapped(objects)} }
    STATUS      current
    DESCRIPTION
        "All objects."
    ::= { xmppServerGroups 1 }

xmppServerNotificationGroup NOTIFICATION-GROUP
    NOTIFICATIONS {
${wrapped(notifications)} }
    STATUS      current
    DESCRIPTION
        "All notifications."
    ::= { xmppServerGroups 2 }
`;
}

/** A text of the catalogue may have typographic quotation marks and more, which SMIv2 has not (RFC 2578 §3.1.1). */
const plainText = (text: string) =>
  text
    .replaceAll(/[“”"]/g, "'")
    .replaceAll('’', "'")
    .replaceAll('→', 'to')
    .replaceAll(/[^\x20-\x7e]/g, '?');

const quoted = (text: string): string => `        "${lines(plainText(text).split(' ')).join('\n         ')}"`;

const wrapped = (names: readonly string[]): string =>
  `        ${lines(names.map((name, index) => (index < names.length - 1 ? `${name},` : name))).join('\n        ')}`;

function lines(words: readonly string[]): string[] {
  const out: string[] = [];
  for (const word of words) {
    const last = out.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH) out[out.length - 1] = `${last} ${word}`;
    else out.push(word);
  }
  return out;
}
