import { accountEvents } from './account-events.ts';
import { clientEvents } from './client-events.ts';
import { directoryEvents } from './directory-events.ts';
import type { FieldName } from './field-names.ts';
import { identityProviderEvents } from './identity-provider-events.ts';
import { kerberosEvents } from './kerberos-events.ts';
import type { EventLevel } from './log-event.ts';
import { nodeEvents } from './node-events.ts';
import { serverEvents } from './server-events.ts';
import { stateEvents } from './state-events.ts';

/** Every event of the log, once: docs/events.md is made from it. */
export const logEvents = {
  ...nodeEvents,
  ...clientEvents,
  ...accountEvents,
  ...stateEvents,
  ...directoryEvents,
  ...identityProviderEvents,
  ...kerberosEvents,
  ...serverEvents,
};

type Declared = typeof logEvents;

/** Stable, dotted, in lower case: `session.bound`. Operators search and alert by it. */
export type EventName = keyof Declared;

/** The events that may be logged at a level. */
export type EventAt<L extends EventLevel> = {
  [Name in EventName]: L extends Declared[Name]['levels'][number] ? Name : never;
}[EventName];

/** The fields that an event may have; `omitted` comes by itself where there are too many. */
export type FieldOf<Name extends EventName> = Declared[Name]['fields'][number] & FieldName;
