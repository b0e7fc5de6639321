import { NS } from './namespaces.ts';
import { StreamError } from './stream-error.ts';

/** An attribute as the parser gives it: qualified name to value. */
type QualifiedAttributes = Readonly<Record<string, string>>;

/**
 * Prefixes that one element declares, and those of the elements around it. Looked up level by level, of which there
 * are few: a copy for each element would let one stanza fill tables without end.
 */
interface Declarations {
  readonly own: ReadonlyMap<string, string>;
  readonly outer: Declarations | undefined;
}

/** The namespace declarations in force inside one open element (Namespaces in XML 1.0). */
export class NamespaceScope {
  readonly defaultNs: string;
  readonly #prefixes: Declarations;
  readonly #betweenServers: boolean;

  private constructor(defaultNs: string, prefixes: Declarations, betweenServers: boolean) {
    this.defaultNs = defaultNs;
    this.#prefixes = prefixes;
    this.#betweenServers = betweenServers;
  }

  static readonly root = new NamespaceScope('', { own: new Map([['xml', NS.xml]]), outer: undefined }, false);
  /**
   * The one for streams between servers: what is in their content namespace is read as if it were in that of clients,
   * since it means the same (RFC 6120 §4.8.3).
   */
  static readonly betweenServers = new NamespaceScope('', NamespaceScope.root.#prefixes, true);

  /** The scope inside an element with these attributes: this one, where they declare nothing. */
  enter(attributes: QualifiedAttributes): NamespaceScope {
    let defaultNs = this.defaultNs;
    let prefixes: Map<string, string> | undefined;
    for (const name in attributes) {
      if (!name.startsWith('xmlns')) continue;
      const uri = this.#read(attributes[name] as string);
      if (name.length === 5) {
        if (uri === NS.xml || uri === NS.xmlns) throw badNamespace('The default namespace may not be a reserved one.');
        defaultNs = uri;
      } else if (name.charCodeAt(5) === 58) {
        const prefix = name.slice(6);
        checkDeclaration(prefix, uri);
        prefixes ??= new Map();
        prefixes.set(prefix, uri);
      }
    }
    if (prefixes === undefined && defaultNs === this.defaultNs) return this;
    const inside = prefixes === undefined ? this.#prefixes : { own: prefixes, outer: this.#prefixes };
    return new NamespaceScope(defaultNs, inside, this.#betweenServers);
  }

  #read(uri: string): string {
    return this.#betweenServers && uri === NS.server ? NS.client : uri;
  }

  resolve(prefix: string): string {
    for (let level: Declarations | undefined = this.#prefixes; level !== undefined; level = level.outer) {
      const uri = level.own.get(prefix);
      if (uri !== undefined) return uri;
    }
    // RFC 6120 §4.9.3.2
    throw new StreamError('bad-namespace-prefix', 'A prefix is not declared.');
  }

  /** Attributes in the form that `Element` keeps, declarations left out. */
  attributes(attributes: QualifiedAttributes): string[] {
    const list: string[] = [];
    let seen: Map<string, string[]> | undefined;
    for (const name in attributes) {
      const colon = name.indexOf(':');
      if (colon === -1) {
        if (name !== 'xmlns') list.push(name, attributes[name] as string);
        continue;
      }
      const prefix = name.slice(0, colon);
      if (prefix === 'xmlns') continue;
      const local = localPart(name, colon);
      let key = name;
      if (prefix !== 'xml') {
        const uri = this.resolve(prefix);
        seen ??= new Map();
        const namespaces = seen.get(local);
        // Namespaces in XML §6.3: two prefixes of one namespace make the same attribute
        if (namespaces?.includes(uri)) throw badNamespace('An attribute stands twice.');
        if (namespaces === undefined) seen.set(local, [uri]);
        else namespaces.push(uri);
        key = `{${uri}}${local}`;
      }
      list.push(key, attributes[name] as string);
    }
    return list;
  }
}

/** The part behind the colon; a name has one colon at most and nothing empty on either side. */
export function localPart(name: string, colon: number): string {
  const local = name.slice(colon + 1);
  if (colon === 0 || local === '' || local.includes(':')) throw badNamespace('A name is malformed.');
  // a local part is a name itself: these may stand in it, but not at its beginning
  if (/^(?:[-.0-9\u00b7\u203f\u2040]|[\u0300-\u036f])/.test(local)) throw badNamespace('A name is malformed.');
  return local;
}

function checkDeclaration(prefix: string, uri: string): void {
  localPart(`xmlns:${prefix}`, 5);
  if (uri === '') throw badNamespace('A prefix is declared as nothing.');
  if (prefix === 'xmlns' || uri === NS.xmlns) throw badNamespace('The xmlns namespace may not be declared.');
  if ((prefix === 'xml') !== (uri === NS.xml)) throw badNamespace('The xml prefix and its namespace belong together.');
}

/** Texts of errors go to the log, so they repeat nothing of what came. */
function badNamespace(text: string): StreamError {
  return new StreamError('not-well-formed', text);
}
