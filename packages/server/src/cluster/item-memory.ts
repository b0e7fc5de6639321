/** Items lie one behind the other in pieces of this size, which go when the last of them is acknowledged. */
const PIECE = 64 * 1024;
/** What may become longer has memory of its own, of just its size. */
const LARGEST = PIECE / 8;
/** Bytes that a character takes at most. */
const MOST_BYTES = 3;

let piece = Buffer.allocUnsafeSlow(PIECE);
let used = 0;

/** A new item that ends with this text, behind `head` bytes that are still to be written. */
export function itemWithText(head: number, text: string): Buffer {
  const most = head + text.length * MOST_BYTES;
  if (most > LARGEST) {
    const item = Buffer.allocUnsafeSlow(head + Buffer.byteLength(text));
    item.write(text, head, 'utf8');
    return item;
  }
  if (piece.length - used < most) {
    piece = Buffer.allocUnsafeSlow(PIECE);
    used = 0;
  }
  const start = used;
  used += head + piece.write(text, start + head, 'utf8');
  return piece.subarray(start, used);
}
