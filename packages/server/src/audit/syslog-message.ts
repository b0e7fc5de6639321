import type { Facility } from '../config/audit.ts';
import type { AuditEntry } from './audit-entry.ts';

// RFC 5424 §6.2.1
const FACILITY_CODES: Readonly<Record<Facility, number>> = {
  auth: 4,
  authpriv: 10,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};
const SEVERITY = { success: 6, failure: 4 } as const; // informational, warning

/** Of the text, which says nothing that the structured data do not. */
const MOST_TEXT = 512;

/** RFC 5424 §7.3.1: it begins again at 1 behind this. */
const LAST_SEQUENCE_ID = 2_147_483_647;

export interface SyslogSettings {
  readonly facility: Facility;
  /** Of the machine. */
  readonly hostname: string;
  /** Whose names of structured data these are (RFC 5424 §7.2.2): a number of IANA. */
  readonly enterprise: string;
}

/** An entry as a message of syslog, with structured data (RFC 5424 §6). */
export function syslogMessage(entry: AuditEntry, { facility, hostname, enterprise }: SyslogSettings): string {
  const { time, event } = entry;
  const head = `<${priority(entry, facility)}>1 ${time} ${token(hostname, 255)} parley ${entry.process} ${token(event, 32)}`;
  return `${head} ${structured(entry, enterprise)} ${summary(entry)}`;
}

/** The same for the socket of the machine, whose daemons know the old form alone: the priority, and a text. */
export function localMessage(entry: AuditEntry, { facility, enterprise }: SyslogSettings): string {
  return `<${priority(entry, facility)}>${entry.event} ${structured(entry, enterprise)}`;
}

const priority = ({ outcome }: AuditEntry, facility: Facility) => FACILITY_CODES[facility] * 8 + SEVERITY[outcome];

function structured({ time: _, process: __, sequence, event, ...values }: AuditEntry, enterprise: string): string {
  const parameters = Object.entries(values).map(([name, value]) => ` ${name}="${parameter(value)}"`);
  const id = ((sequence - 1) % LAST_SEQUENCE_ID) + 1;
  return `[parley@${enterprise} event="${parameter(event)}"${parameters.join('')}][meta sequenceId="${id}"]`;
}

const summary = ({ event, outcome, actor, subject, address, reason }: AuditEntry): string =>
  [`${event}: ${outcome}`, actor && `by ${actor}`, address && `from ${address}`, subject && `on ${subject}`, reason]
    .filter((part) => part !== '')
    .map(ascii)
    .join(', ')
    .slice(0, MOST_TEXT);

/** Printable ASCII alone. The backslash itself is written as `\u005c`, so that what was there before is never taken for one of these. */
const ascii = (text: string): string =>
  text.replace(/[^\x20-\x5b\x5d-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** RFC 5424 §6.3.3 */
const parameter = (text: string): string => ascii(text).replace(/["\\\]]/g, '\\$&');

/** RFC 5424 §6: what has no value is `-`. */
const token = (text: string, most: number): string => text.replace(/[^\x21-\x7e]/g, '_').slice(0, most) || '-';

/** RFC 5425 §4.3, RFC 6587 §3.4.1: how long it is stands in front, so that nothing in it can end it. */
export const octetCounted = (message: string): Buffer => Buffer.from(`${message.length} ${message}`, 'latin1');
