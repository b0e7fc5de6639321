import { NS } from '@parley/xmpp/namespaces';
import { expect } from 'vitest';
import { formsOf, found } from '../security/secret-forms.ts';

/** Where passwords and SASL messages stand in what clients send and get, and in configurations. */
const PASSWORDS = [
  /<password>([^<]+)<\/password>/g,
  /<field var='(?:old_)?password'[^>]*><value>([^<]+)<\/value>/g,
  /"(?:password|secret)":"([^"]+)"/g, // of a configuration
] as const;
const MESSAGES =
  /<(?:auth|response|challenge|success|initial-response|additional-data|salt|hash)(?: [^>]*)?>([A-Za-z0-9+/=]+)</g;
const TOKENS = / token='([^']+)'/g;
/** Where some of it may stand. */
const SPEAKING = ['password', 'secret', NS.sasl, NS.sasl2, NS.scramUpgrade, NS.fast] as const;
/** A shorter message, such as `=`, stands everywhere. */
const SHORTEST_MESSAGE = 8;
/** So many secrets of one test are looked for: those that make thousands of logins make them all alike. */
const MOST = 1000;

/** Of the test that runs, in every form in which they might be written. */
const secrets = new Set<string>();
let test: string | undefined;

/** A log must not hold this. Words that logs say anyway, such as `wrong`, are nothing to look for. */
export function neverLogged(secret: string): void {
  if (/^[a-z]{1,11}$/i.test(secret) || secret.length < 5) return;
  for (const form of formsOf(secret)) add(form);
}

function add(form: string): void {
  const running = expect.getState().currentTestName;
  if (running !== test) secrets.clear();
  test = running;
  if (secrets.size < MOST) secrets.add(form);
}

/** A client has sent or got this, or a server is configured so: no log may hold the passwords and SASL messages in it. */
export function overheard(text: string): void {
  if (!SPEAKING.some((word) => text.includes(word))) return;
  for (const pattern of PASSWORDS) for (const [, password = ''] of text.matchAll(pattern)) neverLogged(password);
  for (const [, token = ''] of text.matchAll(TOKENS)) neverLogged(token);
  for (const [, message = ''] of text.matchAll(MESSAGES)) {
    if (message.length < SHORTEST_MESSAGE) continue;
    add(message.replace(/=+$/, ''));
    const plain = Buffer.from(message, 'base64').toString();
    // as a log would write it; of EXTERNAL it is an address alone (RFC 4422 appendix A), which logs may say
    if (!/^[\w.@-]*$/.test(plain)) add(JSON.stringify(plain).slice(1, -1));
    // RFC 4616: the password alone; RFC 5802: the proofs and the salt
    const password = plain.split('\0')[2];
    if (password !== undefined) neverLogged(password);
    for (const [, value = ''] of plain.matchAll(/(?:^|,)[psv]=([A-Za-z0-9+/=]{16,})/g)) neverLogged(value);
  }
}

/** Looks through everything that was logged in the test that runs. Throws where it holds a secret of it. */
export function searchLog(lines: string): void {
  if (expect.getState().currentTestName !== test) return; // nobody has said anything
  expect(found(lines, [...secrets]), 'a log holds what is nobody’s business').toEqual([]);
}
