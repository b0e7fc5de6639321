/** A Redis Cluster has so many slots; which of them a key lies in follows from its hash tag. */
export const SLOTS = 16_384;

/** CRC-16/XMODEM, modulo the number of slots: what Redis does with a tag. */
export function slotOf(tag: string): number {
  const cached = slots.get(tag);
  if (cached !== undefined) return cached;
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  const slot = crc % SLOTS;
  if (slots.size < MOST_KNOWN) slots.set(tag, slot);
  return slot;
}

/** Of partitions there are few, and of channels as many as there are nodes. */
const MOST_KNOWN = 4096;
const slots = new Map<string, number>();

/** A server of the cluster, and the slots that it has, both ends among them. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly host: string;
  readonly port: number;
}

/** What CLUSTER SLOTS answers; `asked` is the host that was asked, which may say nothing of its own name. */
export function readSlots(reply: unknown, asked: string): SlotRange[] {
  return (reply as [number, number, [Buffer | string | null, number]][]).map(([first, last, [host, port]]) => ({
    first,
    last,
    host: known(host) ?? asked,
    port,
  }));
}

const known = (host: Buffer | string | null): string | undefined =>
  host === null || String(host) === '?' ? undefined : String(host) || undefined;

export interface Redirection {
  /** `MOVED` for good, `ASK` for this command. */
  readonly kind: string;
  readonly slot: number;
  readonly host: string;
  readonly port: number;
}

/** Where a command has to go, of what a server said: `MOVED 3999 127.0.0.1:6381`. */
export function readRedirection(message: string, asked: string): Redirection | undefined {
  const [, kind, slot, host, port] = /^(MOVED|ASK) (\d+) (.*):(\d+)$/.exec(message) ?? [];
  return kind === undefined ? undefined : { kind, slot: Number(slot), host: host || asked, port: Number(port) };
}
