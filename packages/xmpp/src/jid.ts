import { escapeAttribute } from './escape.ts';
import { DomainError, domainName } from './idna.ts';
import { opaqueString, PrecisError, usernameCaseMapped } from './precis.ts';
import { TextCache } from './text-cache.ts';

/** Text that is no address. The message says which part is wrong and why; it does not repeat the text. */
export class JidError extends Error {
  override name = 'JidError';
}

const maxPartBytes = 1023; // RFC 7622 §3.1
// Preparing may shorten a part (by composing marks, say): what could still fit is prepared, longer text is not looked at.
const maxRawLength = 4 * maxPartBytes;

/**
 * An XMPP address (RFC 7622): immutable and always prepared, so that two addresses are equal exactly if their texts are.
 * Text from outside that is no address throws JidError.
 */
export class Jid {
  static readonly #cache = new TextCache<Jid>({ entries: 8192, textLength: 256 });

  /** The local part, or ''. */
  readonly local: string;
  readonly domain: string;
  /** The resource, or ''. */
  readonly resource: string;
  /** The address without its resource: itself if it has none. */
  readonly bare: Jid;
  readonly #text: string;
  #escaped: string | undefined;

  /** Takes prepared parts; `bare` where there is a resource. */
  private constructor(local: string, domain: string, resource: string, bare?: Jid) {
    this.local = local;
    this.domain = domain;
    this.resource = resource;
    this.bare = bare ?? this;
    this.#text = bare !== undefined ? `${bare.#text}/${resource}` : local === '' ? domain : `${local}@${domain}`;
  }

  /** Cheap for a text that was parsed a while ago. */
  static parse(text: string): Jid {
    const cached = Jid.#cache.get(text);
    if (cached !== undefined) return cached;
    const jid = Jid.#parse(text);
    Jid.#cache.set(jid.#text === text ? jid.#text : ownCopy(text), jid);
    return jid;
  }

  static tryParse(text: string): Jid | undefined {
    return orUndefined(() => Jid.parse(text));
  }

  /** Prepares and joins the parts; undefined, not '', stands for a part that is not there. */
  static of(local: string | undefined, domain: string, resource?: string): Jid {
    const preparedLocal = local === undefined ? '' : localPart(local);
    const bare = new Jid(preparedLocal, domainPart(domain), '');
    return resource === undefined ? bare : bare.withResource(resource);
  }

  // RFC 7622 §3.1: the first slash ends the domain, the first at sign before it ends the local part.
  static #parse(text: string): Jid {
    const slash = text.indexOf('/');
    if (slash >= 0) return Jid.parse(text.slice(0, slash)).withResource(text.slice(slash + 1));
    const at = text.indexOf('@');
    return Jid.of(at < 0 ? undefined : text.slice(0, at), text.slice(at + 1));
  }

  get isBare(): boolean {
    return this.resource === '';
  }

  /** Whether it has neither local part nor resource. */
  get isDomain(): boolean {
    return this.local === '' && this.resource === '';
  }

  /** The text of the bare address: a key for tables. */
  get bareText(): string {
    return this.bare.#text;
  }

  /** The same account, with this resource instead. */
  withResource(resource: string): Jid {
    return new Jid(this.local, this.domain, resourcePart(resource), this.bare);
  }

  equals(other: Jid | undefined): boolean {
    return this === other || (other !== undefined && this.#text === other.#text);
  }

  toString(): string {
    return this.#text;
  }

  /** Its text as it stands in an attribute. */
  get escaped(): string {
    this.#escaped ??= escapeAttribute(this.#text);
    return this.#escaped;
  }
}

/** Prepares a local part (RFC 7622 §3.3). Throws JidError. */
export function localPart(text: string): string {
  const prepared = preparePart('local part', text, usernameCaseMapped);
  if (/["&'/:<>@]/.test(prepared)) throw new JidError(`the local part holds one of " & ' / : < > @`);
  return prepared;
}

/** Prepares a resource (RFC 7622 §3.4). Throws JidError. */
export function resourcePart(text: string): string {
  return preparePart('resource', text, opaqueString);
}

/** Prepares a domain (RFC 7622 §3.2). Throws JidError. */
export function domainPart(text: string): string {
  return preparePart('domain', text, domainName);
}

/** The prepared domain, or undefined where the text is none. */
export function tryDomainPart(text: string): string | undefined {
  return orUndefined(() => domainPart(text));
}

function orUndefined<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}

function preparePart(name: string, text: string, prepare: (text: string) => string): string {
  if (text === '') throw new JidError(`the ${name} is empty`);
  if (text.length > maxRawLength) throw tooLong(name);
  let prepared: string;
  try {
    prepared = prepare(text);
  } catch (error) {
    if (!(error instanceof PrecisError || error instanceof DomainError)) throw error;
    throw new JidError(`the ${name} is not allowed: ${error.message}`);
  }
  if (Buffer.byteLength(prepared) > maxPartBytes) throw tooLong(name);
  return ownCopy(prepared);
}

function tooLong(name: string): JidError {
  return new JidError(`the ${name} is longer than ${maxPartBytes} bytes`);
}

// Text cut out of a parsed chunk keeps that whole chunk alive; an address, which lives long, must not.
function ownCopy(text: string): string {
  const encoding = /^[\0-\xff]*$/.test(text) ? 'latin1' : 'utf16le';
  return Buffer.from(text, encoding).toString(encoding);
}
