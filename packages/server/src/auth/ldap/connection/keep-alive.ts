import { PresenceFilter, SearchRequest } from 'ldapts';
import type { RawConnection } from './raw-connection.ts';

/** Resolves when the directory has answered: what was asked of it before has arrived there. */
export async function ping(connection: RawConnection): Promise<void> {
  const filter = new PresenceFilter({ attribute: 'objectClass' });
  const request = new SearchRequest({ messageId: 0, baseDN: '', scope: 'base', filter, attributes: ['1.1'] });
  for await (const _ of connection.search(request));
}

/** Asks a directory again and again whether it is there, and ends the connection where it does not answer in time. */
export function keepAlive(connection: RawConnection, everyMs: number, timeoutMs: number): Disposable {
  let late: NodeJS.Timeout | undefined;
  const ask = async () => {
    // one that is not read from has something to tell
    if (connection.isPaused || late !== undefined) return;
    late = setTimeout(() => {
      if (connection.isPaused) late = undefined;
      else connection.destroy(`The directory says nothing any more: no answer within ${timeoutMs / 1000} s.`);
    }, timeoutMs).unref();
    try {
      await ping(connection);
    } catch {
      // whoever has the connection hears that it is gone
    } finally {
      clearTimeout(late);
      late = undefined;
    }
  };
  const timer = setInterval(() => void ask(), everyMs).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      clearTimeout(late);
    },
  };
}
