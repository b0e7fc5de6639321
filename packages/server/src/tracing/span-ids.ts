import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;
const bytes = Buffer.allocUnsafeSlow(POOL_BYTES);
let digits = '';
let used = 0;

/** So many bytes at random, in hexadecimal digits: asking for each would cost more than the span. */
function random(count: number): string {
  const length = count * 2;
  if (digits.length - used < length) {
    digits = randomFillSync(bytes).toString('hex');
    used = 0;
  }
  used += length;
  return digits.slice(used - length, used);
}

/** W3C Trace Context §3.2.2.3: 16 bytes, not all of them zero. */
export const traceId = (): string => notZero(random(16));
/** §3.2.2.4: 8 bytes, not all of them zero. */
export const spanId = (): string => notZero(random(8));

const notZero = (id: string): string => (/[^0]/.test(id) ? id : `${id.slice(0, -1)}1`);
