import { getCACertificates } from 'node:tls';

let known: readonly string[] | undefined;

/** Certificates (PEM) of the authorities that the machine trusts: Node's own list, and the administrator's. */
export function machineAuthorities(): readonly string[] {
  known ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
  return known;
}
