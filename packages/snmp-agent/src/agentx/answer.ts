import snmp from 'net-snmp';
import { compareOids, type Oid, oidText } from '../protocol/oid.ts';
import type { Varbind } from '../protocol/requests.ts';
import { readCell, type View } from '../protocol/view.ts';
import { type MasterPdu, PDU, type SearchRange } from './pdu.ts';

const { ErrorStatus, ObjectType } = snmp;
const EVERYTHING: readonly Oid[] = [[1]];
/** Those that a master agent asks for at once at most; it asks again. */
const MOST_VARBINDS = 1000;

export interface SubagentAnswer {
  readonly error: number;
  readonly index: number;
  readonly varbinds: readonly Varbind[];
}

const found = (varbinds: readonly Varbind[]): SubagentAnswer => ({ error: 0, index: 0, varbinds });

/** What a read-only subagent answers its master (RFC 2741 §7.2.3); undefined where nothing is answered. */
export function answerMaster(pdu: MasterPdu, view: View): SubagentAnswer | undefined {
  switch (pdu.type) {
    case PDU.get:
      return found(pdu.ranges.map(({ start }) => get(start, view)));
    case PDU.getNext:
      return found(pdu.ranges.map((range) => next(range, view)));
    case PDU.getBulk:
      return found(bulk(pdu, view));
    case PDU.testSet:
      return { error: ErrorStatus.NotWritable, index: 1, varbinds: [] };
    case PDU.commitSet:
    case PDU.undoSet:
      return found([]);
    default:
      return undefined;
  }
}

function get(oid: Oid, view: View): Varbind {
  const cell = view.get(oid, EVERYTHING);
  if (cell !== undefined) return { oid: oidText(oid), ...readCell(cell) };
  return { oid: oidText(oid), type: ObjectType.NoSuchInstance, value: null };
}

function next({ start, included, end }: SearchRange, view: View): Varbind {
  const here = included ? view.get(start, EVERYTHING) : undefined;
  const cell = here ?? view.next(start, EVERYTHING);
  const within = cell !== undefined && (end.length === 0 || compareOids(cell.oid, end) < 0);
  if (within) return { oid: oidText(cell.oid), ...readCell(cell) };
  return { oid: oidText(start), type: ObjectType.EndOfMibView, value: null };
}

function bulk({ ranges, nonRepeaters, maxRepetitions }: MasterPdu, view: View): Varbind[] {
  const out = ranges.slice(0, nonRepeaters).map((range) => next(range, view));
  let places = ranges.slice(nonRepeaters);
  for (let round = 0; round < maxRepetitions && places.length > 0 && out.length < MOST_VARBINDS; round++) {
    const row = places.map((range) => next(range, view));
    out.push(...row);
    if (row.every(({ type }) => type === ObjectType.EndOfMibView)) break;
    places = places.map((range, index) => ({
      ...range,
      start: row[index]?.oid.split('.').map(Number) ?? [],
      included: false,
    }));
  }
  return out;
}
