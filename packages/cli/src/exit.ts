import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { AdministrationError } from '@parley/server/admin/administration-error';
import { AuditRefused } from '@parley/server/audit/audit-refused';
import { ConfigurationError } from '@parley/server/config/problem';
import { SocketRefused } from '@parley/server/net/unix-socket';
import { printable } from '@parley/server/printable';

/** What the exit code of a command means. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3 } as const;

/** No node answers where one has to. */
export class Unreachable extends Error {}

/** What was begun cannot go on. */
export class Failed extends Error {}

/** The command was given wrongly. */
export class Usage extends Error {}

/** Their messages are for operators. */
const IN_WORDS = [AdministrationError, AuditRefused, KeyspaceError, SocketRefused, Failed];

/** Says on standard error what went wrong, in words, and answers the exit code for it. */
export function report(error: unknown): number {
  if (error instanceof ConfigurationError) {
    process.stderr.write(`${error.message}\n`);
    return EXIT.usage;
  }
  if (IN_WORDS.some((kind) => error instanceof kind)) {
    // a node tells all that is wrong with a configuration, one problem a line
    process.stderr.write(`${(error as Error).message.split('\n').map(printable).join('\n')}\n`);
    return EXIT.failed;
  }
  if (error instanceof Unreachable || error instanceof Usage) {
    process.stderr.write(`${error.message}\n`);
    return error instanceof Usage ? EXIT.usage : EXIT.unreachable;
  }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    process.stderr.write(`${explain(error.code) ?? printable(error.message)}\n`);
    return EXIT.failed;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT.failed;

  function explain(code: string): string | undefined {
    const { port, address, path } = error as { port?: number; address?: string; path?: string };
    switch (code) {
      case 'EADDRINUSE':
        return `${place(address, port)} is in use: another server runs there. Stop it, or change \`listen\` in the configuration.`;
      case 'EACCES':
        return port === undefined
          ? `No permission for ${path ?? 'a file'}.`
          : `No permission to listen on ${place(address, port)}.`;
      case 'ENOTSUP':
        return port === undefined
          ? undefined
          : `This system cannot have several processes on one port: take \`listen.reusePort\` out, and put a load balancer before nodes with a port each.`;
      case 'EADDRNOTAVAIL':
        return `${address} is no address of this machine: change \`listen\` in the configuration.`;
    }
  }
}

const place = (address: string | undefined, port: number | undefined): string =>
  port === undefined || port < 0 ? String(address) : `Port ${port}${address === undefined ? '' : ` on ${address}`}`;
