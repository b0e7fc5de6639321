import { connect, isIP, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, connect as secureConnect, type TLSSocket } from 'node:tls';
import { machineAuthorities } from './machine-authorities.ts';

/** Where the way to another server ends. */
export type DialStep = 'name' | 'connection' | 'encryption';

/** A connection that did not come to be, and how far it got. */
export class DialError extends Error {
  override readonly name = 'DialError';
  readonly step: DialStep;
  /** Node's or OpenSSL's: `ECONNREFUSED`, `CERT_HAS_EXPIRED`; `ETIMEDOUT` where the time was over. */
  readonly code: string;

  constructor(step: DialStep, code: string, cause?: unknown) {
    super(`${step}: ${cause instanceof Error ? cause.message : code}`, { cause });
    this.step = step;
    this.code = code;
  }
}

/** Time between probes of a connection on which nothing is said, so that one whose other end is gone is noticed. */
const KEEP_ALIVE = 30_000;

/** Connects to a server. Throws a DialError, also when `signal` aborts. */
export function dial(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE });
  let step: DialStep = isIP(host) === 0 ? 'name' : 'connection';
  socket.once('lookup', (error) => {
    if (error === null) step = 'connection';
  });
  return established(socket, 'connect', () => step, signal);
}

/**
 * Trust in these authorities (PEM), or in those that the machine trusts: Node's own list, and the administrator's. `own` is what
 * this side shows, where the other one asks for it.
 */
export function trustIn(authorities: string | undefined, own?: { cert: string; key: string }): SecureContext {
  return createSecureContext({ ca: authorities ?? [...machineAuthorities()], minVersion: 'TLSv1.2', ...own });
}

/**
 * Encrypts a connection to a server, which has to prove by its certificate that it is `host`. Throws a DialError, also
 * when `signal` aborts; the connection is gone then.
 */
export function encrypt(socket: Socket, host: string, trust: SecureContext, signal: AbortSignal): Promise<TLSSocket> {
  return secured(socket, host, trust, true, signal);
}

function secured(
  socket: Socket,
  host: string,
  secureContext: SecureContext,
  rejectUnauthorized: boolean,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const name = isIP(host) === 0 ? { servername: host } : {};
  const secure = secureConnect({ socket, host, ...name, secureContext, rejectUnauthorized });
  return established(secure, 'secureConnect', () => 'encryption', signal);
}

/** Why nobody whom we trust vouches for what the other side has shown, in OpenSSL's words; undefined where somebody does. */
export function faultOf({ authorized, authorizationError }: TLSSocket): string | undefined {
  return authorized ? undefined : String(authorizationError); // Node's types say that it is an error; it is the code of one
}

/** An X.509 name for people, in one line. */
export const inOneLine = (name: string): string => name.replaceAll('\n', ', ');

/** What a server shows, whether it proves anything or not. */
export interface ShownCertificate {
  /** Those who it is for. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly validTo: Date;
  /** Why it is not taken; undefined where it is. */
  readonly fault: DialError | undefined;
}

/** Looks at the certificate of a server, and closes the connection: nothing may be said to somebody who is unproved. */
export async function lookAtCertificate(
  socket: Socket,
  host: string,
  trust: SecureContext,
  signal: AbortSignal,
): Promise<ShownCertificate> {
  const secure = await secured(socket, host, trust, false, signal);
  const certificate = secure.getPeerX509Certificate();
  const fault = faultOf(secure);
  secure.destroy();
  if (certificate === undefined) throw new DialError('encryption', 'NO_CERTIFICATE');
  return {
    names: (certificate.subjectAltName ?? certificate.subject)
      .split(/, |\n/)
      .map((each) => each.replace(/^\w[\w ]*[:=]/, '')),
    issuer: inOneLine(certificate.issuer),
    validTo: certificate.validToDate,
    fault: fault === undefined ? undefined : new DialError('encryption', fault),
  };
}

/** Resolves with the socket when `event` comes; what ends it before is a DialError. */
export function established<S extends Socket>(
  socket: S,
  event: string,
  step: () => DialStep,
  signal: AbortSignal,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const fail = (code: string, cause?: unknown) => {
      settle();
      socket.on('error', () => {}); // what it may still say is of no interest
      socket.destroy();
      reject(new DialError(step(), code, cause));
    };
    const onError = (error: NodeJS.ErrnoException) => fail(error.code ?? 'ERROR', error);
    const onClose = () => fail('ECONNRESET');
    const onAbort = () => fail('ETIMEDOUT');
    const onDone = () => {
      settle();
      socket.on('error', () => {}); // `close` follows, which whoever has the connection listens for
      resolve(socket);
    };
    const settle = () => {
      socket.off('error', onError).off('close', onClose).off(event, onDone);
      signal.removeEventListener('abort', onAbort);
    };
    socket.once('error', onError).once('close', onClose).once(event, onDone);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
