import type { Oid } from '../protocol/oid.ts';
import { integer, objectId, text, timeTicks } from '../protocol/value.ts';
import type { Cell } from '../protocol/view.ts';

const SYSTEM: Oid = [1, 3, 6, 1, 2, 1, 1];
/** It offers applications: layer 7 (RFC 3418, sysServices). */
const SERVICES = 64;

export interface SystemDescription {
  readonly description: string;
  readonly contact: string;
  readonly name: string;
  readonly location: string;
  /** Who has made the agent. */
  readonly objectId: Oid;
  /** Milliseconds since the agent started, asked each time. */
  upTime(): number;
}

/** The system group of SNMPv2-MIB (RFC 3418). */
export const systemCells = (system: SystemDescription): readonly Cell[] => [
  { oid: [...SYSTEM, 1, 0], value: text(system.description) },
  { oid: [...SYSTEM, 2, 0], value: objectId(system.objectId) },
  { oid: [...SYSTEM, 3, 0], value: () => timeTicks(system.upTime()) },
  { oid: [...SYSTEM, 4, 0], value: text(system.contact) },
  { oid: [...SYSTEM, 5, 0], value: text(system.name) },
  { oid: [...SYSTEM, 6, 0], value: text(system.location) },
  { oid: [...SYSTEM, 7, 0], value: integer(SERVICES) },
];
