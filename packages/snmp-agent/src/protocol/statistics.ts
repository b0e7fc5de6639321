import type { Refusal } from './agent.ts';
import type { Oid } from './oid.ts';
import { counter32, integer, octets, type Value } from './value.ts';
import type { Cell } from './view.ts';

/** What an agent knows of itself. */
export interface Statistics {
  readonly datagrams: number;
  /** Answers that were too large to be sent. */
  readonly silentDrops: number;
  readonly engineId: Buffer;
  readonly engineBoots: number;
  readonly engineTime: number;
  readonly mostOctets: number;
  refused(cause: Refusal): number;
}

/** snmp (RFC 3418) */
const SNMP: Oid = [1, 3, 6, 1, 2, 1, 11];
/** snmpEngine (RFC 3411) */
const ENGINE: Oid = [1, 3, 6, 1, 6, 3, 10, 2, 1];
/** snmpMPDStats (RFC 3412) */
const MESSAGE_PROCESSING: Oid = [1, 3, 6, 1, 6, 3, 11, 2, 1];
/** usmStats (RFC 3414), and what each of them counts */
export const USM_STATS: Oid = [1, 3, 6, 1, 6, 3, 15, 1, 1];
export const USM_CAUSES: readonly Refusal[] = ['level', 'time', 'user', 'engine', 'authentication', 'decryption'];

/** snmpEnableAuthenTraps: authenticationFailure is not sent. */
const DISABLED = 2;

/** The counters of RFC 3418, RFC 3411, RFC 3412 and RFC 3414; `read` is asked each time. */
export function statisticsCells(read: () => Statistics): Cell[] {
  const cell = (group: Oid, place: number, value: (statistics: Statistics) => Value): Cell => ({
    oid: [...group, place, 0],
    value: () => value(read()),
  });
  const refused = (group: Oid, place: number, cause: Refusal) =>
    cell(group, place, (statistics) => counter32(statistics.refused(cause)));
  const none = (group: Oid, place: number) => cell(group, place, () => counter32(0));
  return [
    cell(SNMP, 1, ({ datagrams }) => counter32(datagrams)),
    refused(SNMP, 3, 'version'),
    refused(SNMP, 4, 'community'),
    refused(SNMP, 5, 'operation'),
    refused(SNMP, 6, 'garbage'),
    cell(SNMP, 30, () => integer(DISABLED)),
    cell(SNMP, 31, ({ silentDrops }) => counter32(silentDrops)),
    none(SNMP, 32), // there is no proxy
    cell(ENGINE, 1, ({ engineId }) => octets(engineId)),
    cell(ENGINE, 2, ({ engineBoots }) => integer(engineBoots)),
    cell(ENGINE, 3, ({ engineTime }) => integer(engineTime)),
    cell(ENGINE, 4, ({ mostOctets }) => integer(mostOctets)),
    // one security model and one kind of application: what is for others is garbage
    none(MESSAGE_PROCESSING, 1),
    none(MESSAGE_PROCESSING, 2),
    none(MESSAGE_PROCESSING, 3),
    ...USM_CAUSES.map((cause, place) => refused(USM_STATS, place + 1, cause)),
  ];
}
