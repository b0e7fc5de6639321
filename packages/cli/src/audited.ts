import { Administrator } from '@parley/server/admin/administrator';
import { openAudit } from '@parley/server/audit/open-audit';
import type { Configuration } from '@parley/server/config/schema';
import { Log } from '@parley/server/log';
import { administratorName } from './administrator-name.ts';

/** Does what an administrator wants of this command itself: the audit stream tells of it, the log does not. */
export async function audited<T>(
  config: Configuration,
  act: (log: Log, administrator: Administrator) => Promise<T>,
): Promise<T> {
  const audit = openAudit(config);
  const log = Log.create({ level: 'silent', audit }); // what it says goes to the terminal
  try {
    return await act(log, new Administrator(log, 'command', administratorName()));
  } finally {
    await audit?.close();
  }
}
