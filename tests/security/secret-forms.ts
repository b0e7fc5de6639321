/** Every form in which a secret might be written. */
export function formsOf(secret: string | Buffer): string[] {
  const bytes = Buffer.from(secret);
  const encoded = bytes.toString('base64').replace(/=+$/, '');
  return [
    bytes.toString('latin1'),
    encoded,
    bytes.toString('base64url'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ];
}

/** Which of these the log holds. */
export const found = (log: string, secrets: readonly string[]): string[] =>
  secrets.filter((secret) => log.includes(secret));
