import type { DialError } from '../../../net/dial.ts';

/** What is wrong with the way to a server, a colon, and what to do about it: for logs and for operators. */
export function dialWords(error: DialError, host: string, port: number): string {
  const place = `${host}:${port}`;
  switch (error.step) {
    case 'name':
      return `The name ${host} is not known (${error.code}): correct \`servers\`, or the DNS`;
    case 'connection':
      if (error.code === 'ECONNREFUSED')
        return `Nothing listens on ${place}: start the directory, or correct \`servers\``;
      if (error.code === 'ETIMEDOUT') {
        return `${place} does not take the connection in time: see whether the server runs, and what firewalls are between`;
      }
      return `${place} cannot be reached (${error.code}): see whether the server runs, and the way there`;
    case 'encryption':
      return `${encryptionWords(error, host)}`;
  }
}

const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
  'INVALID_CA',
]);

function encryptionWords({ code, message }: DialError, host: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'The certificate of the server has expired: renew it there';
  if (code === 'CERT_NOT_YET_VALID')
    return 'The certificate of the server is not valid yet: look at the clocks of both';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `The certificate of the server is not for ${host}: write in \`servers\` a name that it is for, or have it made for this one`;
  }
  if (UNKNOWN_AUTHORITY.has(code)) {
    return `Nobody who is trusted vouches for the certificate of the server (${code}): name in \`authorities\` a file with the certificate of its authority`;
  }
  if (code === 'ETIMEDOUT') return 'The server does not answer the TLS handshake in time: look at its log';
  return `Encryption fails (${message.replace(/^encryption: /, '')}): write ldaps:// for a port that begins with TLS, ldap:// for one that has StartTLS`;
}

/** Why StartTLS does not begin. */
export const startTlsWords = (code: number, diagnostic: string): string =>
  `The server refuses StartTLS (${code}${diagnostic && `, "${diagnostic}"`}): give it a certificate, or write ldaps:// in \`servers\``;

/** Why the account that Parley has is not let in. */
export function serviceBindWords(dn: string, code: number, diagnostic: string): string {
  const who = `The directory does not let ${dn} in (${code}${diagnostic && `, "${diagnostic}"`})`;
  if (code === 49 || code === 32) return `${who}: correct \`bind.dn\` or \`bind.password\``;
  if (code === 34) return `${who}: write \`bind.dn\` as a distinguished name, such as cn=parley,dc=example,dc=org`;
  if (code === 8 || code === 13) return `${who}: it wants encryption, so switch \`startTls\` on or write ldaps://`;
  if (code === 51 || code === 52) return `${who}: it is busy or not available, and will be asked again`;
  return `${who}: see what its log says`;
}
