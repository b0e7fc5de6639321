import { decodeBase64 } from '../base64.ts';
import { SaslError } from '../sasl-error.ts';

/** RFC 5802 §7. The grammar has no comma inside an attribute, so splitting at commas is reading it. */

export interface ClientFirst {
  /** Up to and with its last comma. */
  readonly gs2Header: string;
  /** 'n': no channel binding; 'y': the client thinks that the server has none; else the type it uses. */
  readonly binding: 'n' | 'y' | { readonly type: string };
  /** '' where there is none. */
  readonly authzid: string;
  readonly username: string;
  readonly nonce: string;
  /** The message without the GS2 header. */
  readonly bare: string;
}

export interface ClientFinal {
  /** Of the channel binding: base64 as it came. */
  readonly binding: string;
  readonly nonce: string;
  readonly proof: Buffer;
  readonly withoutProof: string;
}

export function parseClientFirst(message: string): ClientFirst {
  const [flag = '', authzid = '', username = '', nonce = '', ...extensions] = message.split(',');
  // RFC 5802 §5.1: an extension that must be understood, and is not
  if (username.startsWith('m=')) throw new SaslError('malformed-request', 'SCRAM extensions are not supported.');
  if (!username.startsWith('n=')) throw malformed();
  requireExtensions(extensions);
  const gs2Header = `${flag},${authzid},`;
  return {
    gs2Header,
    binding: parseBinding(flag),
    authzid: authzid === '' ? '' : parseName(authzid, 'a='),
    username: parseName(username, 'n='),
    nonce: parseNonce(nonce),
    bare: message.slice(gs2Header.length),
  };
}

export function parseClientFinal(message: string): ClientFinal {
  const attributes = message.split(',');
  const [binding = '', nonce = '', ...rest] = attributes;
  const proofAttribute = rest.pop() ?? '';
  requireExtensions(rest);
  if (!binding.startsWith('c=') || decodeBase64(binding.slice(2)) === undefined) throw malformed();
  const proof = proofAttribute.startsWith('p=') ? decodeBase64(proofAttribute.slice(2)) : undefined;
  if (proof === undefined) throw malformed();
  return {
    binding: binding.slice(2),
    nonce: parseNonce(nonce),
    proof,
    withoutProof: message.slice(0, -1 - proofAttribute.length),
  };
}

function parseBinding(flag: string): ClientFirst['binding'] {
  if (flag === 'n' || flag === 'y') return flag;
  if (!/^p=[A-Za-z0-9.-]+$/.test(flag)) throw malformed();
  return { type: flag.slice(2) };
}

/** A saslname: `=` stands only in `=2C` (a comma) and `=3D` (itself). */
function parseName(attribute: string, prefix: string): string {
  const name = attribute.slice(prefix.length);
  if (!attribute.startsWith(prefix) || name === '' || name.includes('\0') || /=(?!2C|3D)/.test(name)) throw malformed();
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function parseNonce(attribute: string): string {
  if (!/^r=[!-+\--~]+$/.test(attribute)) throw malformed();
  return attribute.slice(2);
}

function requireExtensions(attributes: readonly string[]): void {
  for (const attribute of attributes) {
    if (!/^[A-Za-z]=[^\0]+$/.test(attribute) || attribute.startsWith('m=')) throw malformed();
  }
}

function malformed(): SaslError {
  return new SaslError('malformed-request', 'This is no SCRAM message.');
}
