import snmp from 'net-snmp';
import { type Oid, oidText } from './oid.ts';

/** A value as net-snmp writes it. A Counter64 has to be a buffer there: a number brings the process down. */
export interface Value {
  readonly type: number;
  readonly value: number | string | Buffer;
}

const { ObjectType } = snmp;
const MOST_32 = 0xffff_ffff;
/** The most octets of a SnmpAdminString (RFC 3411). */
const MOST_OCTETS = 255;

export const integer = (value: number): Value => ({ type: ObjectType.Integer, value });

/** Stays at its greatest value where it would be more (RFC 2578 §7.1.7). */
export const gauge32 = (value: number): Value => ({
  type: ObjectType.Gauge,
  value: Math.min(MOST_32, Math.max(0, Math.round(value))),
});

/** Begins anew after 2^32 - 1 (RFC 2578 §7.1.6). */
export const counter32 = (value: number): Value => ({
  type: ObjectType.Counter,
  value: Number(BigInt(Math.max(0, Math.round(value))) & 0xffff_ffffn),
});

export function counter64(value: number): Value {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64BE(BigInt(Math.max(0, Math.round(value))) & 0xffff_ffff_ffff_ffffn);
  return { type: ObjectType.Counter64, value: octets };
}

/** Hundredths of a second, modulo 2^32 (RFC 2578 §7.1.8). */
export const timeTicks = (milliseconds: number): Value => ({
  type: ObjectType.TimeTicks,
  value: Number(BigInt(Math.max(0, Math.floor(milliseconds / 10))) & 0xffff_ffffn),
});

/** Cut where it is too long, between two characters. */
export function text(value: string): Value {
  let octets = Buffer.from(value, 'utf8');
  if (octets.length > MOST_OCTETS) {
    let end = MOST_OCTETS;
    while (end > 0 && ((octets[end] as number) & 0xc0) === 0x80) end--;
    octets = octets.subarray(0, end);
  }
  return { type: ObjectType.OctetString, value: octets };
}

export const octets = (value: Buffer): Value => ({ type: ObjectType.OctetString, value });

export const objectId = (oid: Oid): Value => ({ type: ObjectType.OID, value: oidText(oid) });
