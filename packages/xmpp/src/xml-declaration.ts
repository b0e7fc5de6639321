import { StreamError } from './stream-error.ts';

/** Throws a StreamError where it names another encoding or version than a stream has. */
export function checkDeclaration({ version, encoding }: { version?: string; encoding?: string }): void {
  // RFC 6120 §4.9.3.22; XML 1.0 is the only version (§11.1 names it)
  if (encoding !== undefined && !/^utf-8$/i.test(encoding)) {
    throw new StreamError('unsupported-encoding', 'The encoding is UTF-8, and no other one is read.');
  }
  if (version !== '1.0') throw new StreamError('not-well-formed', 'The XML version is 1.0.');
}
