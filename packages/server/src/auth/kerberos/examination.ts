import { namesMechanism } from '../../config/mechanisms.ts';
import { ConfigurationError } from '../../config/problem.ts';
import type { Configuration } from '../../config/schema.ts';
import { Acceptor, AcceptorUnusable } from './acceptor.ts';
import { type KeytabEntry, KeytabError, readKeytab } from './keytab.ts';
import { parsePrincipal } from './principal.ts';

export interface KeytabVerdict {
  /** Why no tickets can be accepted. */
  readonly problem?: string | undefined;
  /** The services that there are keys for, with the versions of these. */
  readonly keys: readonly string[];
}

/** Whether tickets could be accepted: the keytab has keys, and the library takes them. */
export async function examine(acceptor: Acceptor, hostName: string): Promise<KeytabVerdict> {
  const { keytab, library } = acceptor.options;
  try {
    const entries = readKeytab(keytab).filter(({ principal }) => parsePrincipal(principal)?.components[0] === 'xmpp');
    const keys = [...new Set(entries.map(({ principal, version }) => `${principal} (${version})`))];
    const problem = keyProblem(entries, keytab, hostName);
    if (problem !== undefined) return { problem, keys };
    await acceptor.examine();
    return { keys };
  } catch (error) {
    return { problem: problemOf(error, keytab, library), keys: [] };
  }
}

function keyProblem(entries: readonly KeytabEntry[], keytab: string, hostName: string): string | undefined {
  if (entries.length === 0) return `${keytab} has no key of xmpp/HOST@REALM`;
  const has = (host: string) => entries.some(({ principal }) => parsePrincipal(principal)?.components[1] === host);
  if (hostName !== '' && !has(hostName))
    return `${keytab} has no key of xmpp/${hostName}, which clients are to ask for`;
  return undefined;
}

function problemOf(error: unknown, keytab: string, library: string): string {
  if (error instanceof KeytabError) return `${keytab} is of no use: ${error.message}`;
  if (error instanceof AcceptorUnusable) return `${library}: ${error.message}`;
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return `${keytab} cannot be read (${code})`;
}

/** Throws a ConfigurationError where GSSAPI is to be offered, and no tickets can be accepted. */
export async function checkKerberos(config: Configuration): Promise<void> {
  const { keytab, library, hostName } = config.authentication.kerberos;
  if (!namesMechanism(config, 'GSSAPI') || keytab === undefined) return;
  using acceptor = new Acceptor({ library, keytab });
  const { problem } = await examine(acceptor, hostName);
  if (problem === undefined) return;
  const cure = `give it what it needs (docs/authentication.md), or take GSSAPI out of the mechanisms`;
  throw new ConfigurationError([{ path: 'authentication.kerberos', problem: `does not work, since ${problem}`, cure }]);
}
