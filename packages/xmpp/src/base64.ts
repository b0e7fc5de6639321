/**
 * Decodes base64 (RFC 4648 §4) as it is always written: padded, no other characters, no stray bits at the end.
 * Anything else gives undefined, so that no two texts stand for the same bytes.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
