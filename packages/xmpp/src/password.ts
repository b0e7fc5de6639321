import { opaqueString, PrecisError } from './precis.ts';

/** A text that cannot be a password. The message says why; it never repeats the text. */
export class PasswordError extends Error {
  override name = 'PasswordError';
}

const maxPasswordBytes = 1023;

/** The one form of a password (OpaqueString, RFC 8265 §4), 1 to 1023 bytes. Throws PasswordError. */
export function preparePassword(text: string): string {
  if (text === '') throw new PasswordError('the password is empty');
  // The limit stands in front of the preparation too, which could only shorten what nobody types.
  if (Buffer.byteLength(text) > maxPasswordBytes) throw tooLong();
  let prepared: string;
  try {
    prepared = opaqueString(text);
  } catch (error) {
    if (!(error instanceof PrecisError)) throw error;
    throw new PasswordError('the password holds a character that passwords cannot hold');
  }
  if (Buffer.byteLength(prepared) > maxPasswordBytes) throw tooLong();
  return prepared;
}

function tooLong(): PasswordError {
  return new PasswordError(`the password is longer than ${maxPasswordBytes} bytes`);
}
