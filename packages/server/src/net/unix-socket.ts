import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';

// The kernel takes 107, and a name of its own stands in for the last part at first.
const LONGEST_PATH = 98;

/** Thrown where the socket cannot be had; its message is for the operator's eyes. */
export class SocketRefused extends Error {
  override readonly name: string = 'SocketRefused';
}

/** Thrown where somebody already listens on the socket. */
export class SocketTaken extends SocketRefused {
  override readonly name = 'SocketTaken';
}

/**
 * Listens on a Unix socket that only the user of this process can open. A file that a dead process left is replaced;
 * where somebody listens, SocketTaken is thrown.
 */
export async function listenOnUnixSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new SocketRefused(`The path of the socket ${path} is too long: write one of at most ${LONGEST_PATH} bytes.`);
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isSocket()) {
    throw new SocketRefused(`${path} is no socket: give the node a path of its own, or move that file away.`);
  }
  if (there !== undefined && (await answers(path))) {
    throw new SocketTaken(
      `Another node listens on ${path}. Stop it first, or give this one an admin.socket of its own.`,
    );
  }
  // Bound where nobody else can look, and moved when it has its mode: it never exists with more rights than it keeps.
  // Its folder alone has to be writable: `join` would take the dot away, and make this beside it.
  const directory = mkdtempSync(`${dirname(path)}/.`);
  try {
    const bound = join(directory, 's');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(bound, resolve);
    await promise;
    server.off('error', reject);
    chmodSync(bound, 0o600);
    renameSync(bound, path);
  } finally {
    rmSync(directory, { recursive: true });
  }
  const { ino } = statSync(path);
  server.once('close', () => {
    // By then another node may have made its own.
    if (statSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path);
  });
}

function answers(path: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once('connect', () => {
    socket.destroy();
    resolve(true);
  });
  socket.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(false);
    else reject(error);
  });
  return promise;
}
