import type { AuditEntry } from './audit-entry.ts';

/** An entry as a line of a file: JSON, in ASCII alone, so that nothing in it can end, hide or reorder a line. */
export function auditLine(entry: AuditEntry): Buffer {
  const ascii = JSON.stringify(entry).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(`${ascii}\n`, 'latin1');
}
