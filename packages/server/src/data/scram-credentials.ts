import { decodeBase64 } from '@parley/xmpp/base64';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { parseScramVerifier, type ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';

/** XEP-0227 §4.2; `twice`: each key is encoded twice, as ejabberd does it. */
export function credentialsElement(verifier: ScramVerifier, twice = false): Element {
  const { hash, iterations, salt, serverKey, storedKey } = verifier;
  const child = (name: string, text: string) => Element.of(name, NS.portableScram, {}, text);
  const encoded = (key: Buffer) => (twice ? Buffer.from(key.toString('base64')) : key).toString('base64');
  return Element.of(
    'scram-credentials',
    NS.portableScram,
    { mechanism: `SCRAM-${hash}` },
    child('iter-count', String(iterations)),
    child('salt', encoded(salt)),
    child('server-key', encoded(serverKey)),
    child('stored-key', encoded(storedKey)),
  );
}

export const isCredentials = (element: Element): boolean => element.is('scram-credentials', NS.portableScram);

/** The reverse; undefined where there is no such mechanism here, or these are no keys of it. */
export function readCredentials(element: Element): ScramVerifier | undefined {
  const mechanism = element.attr('mechanism') ?? '';
  const texts = ['iter-count', 'salt', 'server-key', 'stored-key'].map((name) => element.childText(name)?.trim() ?? '');
  const [count = '', ...keys] = texts;
  return verifierOf(mechanism, count, keys) ?? verifierOf(mechanism, count, keys.map(decodedOnce));
}

const verifierOf = (mechanism: string, count: string, [salt, server, stored]: readonly string[]) =>
  parseScramVerifier(`${mechanism}$${count}:${salt}$${stored}:${server}`);

/** ejabberd encodes twice (seen in 23.01), and then no key has the length of its hash. */
const decodedOnce = (text: string): string => decodeBase64(text)?.toString('latin1') ?? '';

/** What older versions of ejabberd write in place of a password that they keep for SCRAM. */
export function readScramPassword(password: string): ScramVerifier | undefined {
  const [, name = 'sha', stored = '', server = '', salt = '', count = ''] =
    /^scram:(?:(sha256|sha512),)?([^,]+),([^,]+),([^,]+),([1-9]\d{0,8})$/.exec(password) ?? [];
  const hash = { sha: 'SHA-1', sha256: 'SHA-256', sha512: 'SHA-512' }[name];
  const keys = [salt, server, stored];
  return verifierOf(`SCRAM-${hash}`, count, keys.map(decodedOnce)) ?? verifierOf(`SCRAM-${hash}`, count, keys);
}
