import { printable } from './printable.ts';

const REDACTED = '[redacted]';
const SECRET_NAME =
  /pass(word|phrase)?$|secret|token|authorization|cookie|proof|salted|(stored|server|private)_?key|credential|challenge|initial_?response/i;
const BODY_NAME = /^(xml|body)$/i;
// XML that carries passwords or proofs: SASL, SASL2, legacy authentication, registration, FAST.
const SECRET_XML = /urn:ietf:params:xml:ns:xmpp-sasl|urn:xmpp:(sasl|fast):|jabber:iq:(auth|register)/;

const MOST_DEPTH = 4;
const MOST_ENTRIES = 100;
const MOST_CHARACTERS = 2048;
const MOST_BODY_CHARACTERS = 65_536;

/** Fields as they may stand in the log: no secrets, no control characters, nothing endless; bodies only where asked. */
export function safeFields(fields: object, bodies: boolean): Record<string, unknown> {
  return safeObject(fields, bodies, 0);
}

function safeObject(fields: object, bodies: boolean, depth: number): Record<string, unknown> {
  const safe: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(fields).slice(0, MOST_ENTRIES)) {
    const key = safeText(name, 100);
    if (SECRET_NAME.test(name)) safe[key] = REDACTED;
    else if (!BODY_NAME.test(name)) safe[key] = safeValue(value, bodies, depth + 1);
    else if (bodies) safe[key] = typeof value === 'string' ? safeBody(value) : safeValue(value, bodies, depth + 1);
  }
  return safe;
}

function safeValue(value: unknown, bodies: boolean, depth: number): unknown {
  if (typeof value === 'string') return safeText(value, MOST_CHARACTERS);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  if (depth > MOST_DEPTH) return '…';
  if (value instanceof Error) return safeError(value, bodies, depth);
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return value.slice(0, MOST_ENTRIES).map((entry) => safeValue(entry, bodies, depth + 1));
  // An address and the like says best itself what it is.
  if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null) {
    return safeText(String(value), MOST_CHARACTERS);
  }
  return safeObject(value, bodies, depth);
}

function safeError(error: Error, bodies: boolean, depth: number): Record<string, unknown> {
  return {
    name: safeText(error.name, 100),
    message: safeText(error.message, MOST_CHARACTERS),
    ...('code' in error && { code: safeValue(error.code, bodies, depth + 1) }),
    stack: error.stack
      ?.split('\n')
      .slice(1, 20)
      .map((line) => safeText(line.trim(), 300)),
    ...(error.cause !== undefined && { cause: safeValue(error.cause, bodies, depth + 1) }),
  };
}

const safeBody = (xml: string): string => (SECRET_XML.test(xml) ? REDACTED : safeText(xml, MOST_BODY_CHARACTERS));

const safeText = (text: string, most: number): string =>
  printable(text.length > most ? `${text.slice(0, most)}…` : text);
