import { Audit } from '@parley/server/audit/audit';
import type { AuditEntry } from '@parley/server/audit/audit-entry';
import { auditLine } from '@parley/server/audit/audit-line';

/** An audit stream into memory: each entry as it would stand in the file. */
export function auditInto(take: (line: string) => void, perSecond = 100): Audit {
  const sink = {
    send(lines: readonly Buffer[], done: (error: Error | undefined, bytes: number) => void) {
      for (const line of lines) take(line.toString());
      done(
        undefined,
        lines.reduce((sum, { length }) => sum + length, 0),
      );
    },
    close() {},
  };
  const ways = [{ where: 'memory', sink, format: auditLine }];
  return new Audit({ node: 'here', ways, perSecond, maxWaitingBytes: 1_000_000 });
}

/** What stands in a file of the audit stream. */
export const entriesOf = (text: string): AuditEntry[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEntry);
