import snmp from 'net-snmp';
import { type Oid, oidText, parseOid } from './oid.ts';
import type { Value } from './value.ts';
import { type Cell, readCell, type View } from './view.ts';

const { ErrorStatus, ObjectType, PduType } = snmp;

export interface Varbind {
  readonly oid: string;
  readonly type: number;
  readonly value: Value['value'] | null;
}

export interface Request {
  readonly type: number;
  readonly varbinds: readonly { readonly oid: string }[];
  readonly nonRepeaters?: number;
  readonly maxRepetitions?: number;
}

export interface Asker {
  /** 0 is SNMPv1. */
  readonly version: number;
  /** What may be read. */
  readonly subtrees: readonly Oid[];
  /** Octets that the variables of an answer may take. */
  readonly room: number;
}

export interface Answer {
  readonly varbinds: readonly Varbind[];
  readonly errorStatus: number;
  /** From 1; 0 is none. */
  readonly errorIndex: number;
}

const V1 = 0;
/** More are never given at once. */
const MOST_REPETITIONS = 500;
const NO_SUCH_NAME = 2;

/** What a read-only agent answers (RFC 3416 §4.2; for SNMPv1 RFC 3584 §4.2.2). Undefined where nothing is answered. */
export function answer(request: Request, view: View, asker: Asker): Answer | undefined {
  switch (request.type) {
    case PduType.GetRequest:
      return get(request, view, asker);
    case PduType.GetNextRequest:
      return getNext(request, view, asker);
    case PduType.GetBulkRequest:
      return asker.version === V1 ? undefined : getBulk(request, view, asker);
    case PduType.SetRequest:
      return failed(request, asker.version === V1 ? NO_SUCH_NAME : ErrorStatus.NotWritable, 1);
    default:
      return undefined;
  }
}

function failed({ varbinds }: Request, errorStatus: number, errorIndex: number): Answer {
  const same = varbinds.map(({ oid }) => ({ oid, type: ObjectType.Null, value: null }));
  return { varbinds: same, errorStatus, errorIndex };
}

const succeeded = (varbinds: readonly Varbind[]): Answer => ({ varbinds, errorStatus: 0, errorIndex: 0 });

/** All of it, or that it is too much (RFC 3416 §4.2.1). */
function complete(varbinds: readonly Varbind[], { room }: Asker): Answer {
  const size = varbinds.reduce((sum, each) => sum + sizeOf(each), 0);
  return size > room ? { varbinds: [], errorStatus: ErrorStatus.TooBig, errorIndex: 0 } : succeeded(varbinds);
}

function get(request: Request, view: View, asker: Asker): Answer {
  const varbinds = request.varbinds.map(({ oid }) => {
    const cell = view.get(parseOid(oid), asker.subtrees);
    return cell === undefined ? { oid, type: ObjectType.NoSuchInstance, value: null } : varbind(cell);
  });
  if (asker.version === V1) {
    const wrong = varbinds.findIndex(({ type }) => type === ObjectType.NoSuchInstance || type === ObjectType.Counter64);
    if (wrong >= 0) return failed(request, NO_SUCH_NAME, wrong + 1);
  }
  return complete(varbinds, asker);
}

function getNext(request: Request, view: View, asker: Asker): Answer {
  const varbinds = request.varbinds.map(({ oid }) => {
    let next = view.next(parseOid(oid), asker.subtrees);
    while (asker.version === V1 && next !== undefined && readCell(next).type === ObjectType.Counter64) {
      next = view.next(next.oid, asker.subtrees);
    }
    return next === undefined ? endOfView(oid) : varbind(next);
  });
  if (asker.version === V1) {
    const end = varbinds.findIndex(({ type }) => type === ObjectType.EndOfMibView);
    if (end >= 0) return failed(request, NO_SUCH_NAME, end + 1);
  }
  return complete(varbinds, asker);
}

/** As many rounds as there is room for (RFC 3416 §4.2.3). */
function getBulk({ varbinds, nonRepeaters = 0, maxRepetitions = 0 }: Request, view: View, asker: Asker): Answer {
  const out: Varbind[] = [];
  let size = 0;
  /** False where there is no room for it. */
  const add = (one: Varbind): boolean => {
    size += sizeOf(one);
    if (size > asker.room) return false;
    out.push(one);
    return true;
  };
  const once = Math.min(Math.max(0, nonRepeaters), varbinds.length);
  for (const { oid } of varbinds.slice(0, once)) {
    const next = view.next(parseOid(oid), asker.subtrees);
    if (!add(next === undefined ? endOfView(oid) : varbind(next))) {
      return { varbinds: [], errorStatus: ErrorStatus.TooBig, errorIndex: 0 };
    }
  }
  let places = varbinds.slice(once).map(({ oid }) => ({ oid: parseOid(oid), over: false }));
  for (let round = 0; round < Math.min(maxRepetitions, MOST_REPETITIONS) && places.some(({ over }) => !over); round++) {
    const row: typeof places = [];
    for (const place of places) {
      const next = place.over ? undefined : view.next(place.oid, asker.subtrees);
      if (!add(next === undefined ? endOfView(oidText(place.oid)) : varbind(next))) return succeeded(out);
      row.push({ oid: next?.oid ?? place.oid, over: next === undefined });
    }
    places = row;
  }
  return succeeded(out);
}

const varbind = (cell: Cell): Varbind => ({ oid: oidText(cell.oid), ...readCell(cell) });
const endOfView = (oid: string): Varbind => ({ oid, type: ObjectType.EndOfMibView, value: null });

/** Never less than the octets that it takes: each number of an identifier takes five at most, mostly one. */
function sizeOf({ oid, value }: Varbind): number {
  return octetsOf(oid) + 12 + (Buffer.isBuffer(value) ? value.length : typeof value === 'string' ? octetsOf(value) : 8);
}

/** Of an object identifier in BER; an IP address takes less than that. */
function octetsOf(oid: string): number {
  let octets = 2;
  for (const part of oid.split('.')) octets += part.length <= 2 ? 1 : Math.ceil((part.length * 3.33) / 7);
  return octets;
}
