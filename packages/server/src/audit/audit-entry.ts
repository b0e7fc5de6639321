import { logEvents } from '../log-events/catalogue.ts';
import type { LogEvent } from '../log-events/log-event.ts';

export type Outcome = 'success' | 'failure';

/** One entry of the audit stream. What is not known is ''. */
export interface AuditEntry {
  readonly time: string;
  /** The number of the process: that of a node, or of a command. */
  readonly process: number;
  /** Counts the entries of the process from 1: where a number is missing, an entry is. */
  readonly sequence: number;
  readonly node: string;
  readonly event: string;
  readonly outcome: Outcome;
  /** Who did it, or claimed to be somebody: an account, a server, a component, an administrator. */
  readonly actor: string;
  /** Where they did it from. */
  readonly address: string;
  /** What it was done to. */
  readonly subject: string;
  /** Why, or on what ground. */
  readonly reason: string;
}

/** What an entry says beside time, process, number and node. */
export type AuditedAct = Omit<AuditEntry, 'time' | 'process' | 'sequence' | 'node'>;

// Enough for any address that people have; a line stays below what receivers of syslog take (RFC 5424 §6.1).
const MOST_CHARACTERS = 256;

const declared: Readonly<Record<string, LogEvent>> = logEvents;

/** What the audit stream says of an event of the log; undefined where it is none of its business. */
export function actOf(event: string, fields: Readonly<Record<string, unknown>>): AuditedAct | undefined {
  const audited = declared[event]?.audited;
  if (audited === undefined) return undefined;
  const { outcome, actor = [], subject, reason, when } = audited;
  if (when !== undefined && !when.is.includes(String(fields[when.field]))) return undefined;
  const value = (field: string | undefined) => (field === undefined ? '' : textOf(fields[field]));
  const actors: readonly string[] = typeof actor === 'string' ? [actor] : actor;
  return {
    event,
    outcome,
    actor: actors.map(value).find((name) => name !== '') ?? '',
    address: value('address'),
    subject: value(subject),
    reason: value(reason),
  };
}

/** What entries of an event are counted by where others cause too many: the event, and of some the kind of it. */
export function kindOf(event: string, fields: Readonly<Record<string, unknown>>): string {
  const kinds = declared[event]?.audited?.kinds;
  return kinds === undefined ? event : `${event} ${textOf(fields[kinds])}`;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = value instanceof Error ? value.message : Array.isArray(value) ? value.join(', ') : String(value);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text;
}
