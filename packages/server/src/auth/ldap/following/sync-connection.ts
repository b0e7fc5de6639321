import { RawConnection } from '../connection/raw-connection.ts';
import { SocketWire } from '../connection/socket-wire.ts';
import type { Directory } from '../directory.ts';
import { DirectoryAway, DirectoryRefused, NOT_NOW } from '../directory-error.ts';

/**
 * A connection of its own to a server that works, bound as the account that Parley has. Throws DirectoryAway where there
 * is none, DirectoryRefused where the account is not taken.
 */
export async function syncConnection(directory: Directory, end: AbortSignal): Promise<RawConnection> {
  const { connectTimeoutSeconds, bind } = directory.settings;
  const connection = new RawConnection(new SocketWire(await directory.socket()));
  const late = AbortSignal.any([end, AbortSignal.timeout(connectTimeoutSeconds * 1000)]);
  const cut = () => connection.destroy('The directory did not answer in time.');
  late.addEventListener('abort', cut);
  if (late.aborted) cut();
  try {
    const { code, diagnostic } = await connection.bind({ dn: bind.dn, password: bind.password ?? '' });
    if (code === 0) return connection;
    connection.close();
    throw NOT_NOW.has(code)
      ? new DirectoryAway(diagnostic || 'The directory is busy.', { code })
      : new DirectoryRefused(code, diagnostic || `The bind of ${bind.dn} is refused (${code}).`);
  } finally {
    late.removeEventListener('abort', cut);
  }
}
