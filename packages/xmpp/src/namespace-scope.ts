import { NS } from './namespaces.ts';
import { StreamError } from './stream-error.ts';

/** An attribute as the parser gives it: qualified name to value. */
type QualifiedAttributes = Readonly<Record<string, string>>;

/** The namespace declarations in force inside one open element (Namespaces in XML 1.0). */
export class NamespaceScope {
  readonly defaultNs: string;
  readonly #prefixes: ReadonlyMap<string, string>;

  private constructor(defaultNs: string, prefixes: ReadonlyMap<string, string>) {
    this.defaultNs = defaultNs;
    this.#prefixes = prefixes;
  }

  static readonly root = new NamespaceScope('', new Map([['xml', NS.xml]]));

  /** The scope inside an element with these attributes: this one, where they declare nothing. */
  enter(attributes: QualifiedAttributes): NamespaceScope {
    let defaultNs = this.defaultNs;
    let prefixes: Map<string, string> | undefined;
    for (const name in attributes) {
      if (!name.startsWith('xmlns')) continue;
      const uri = attributes[name] as string;
      if (name.length === 5) {
        if (uri === NS.xml || uri === NS.xmlns) throw badNamespace(`The default namespace may not be ${uri}.`);
        defaultNs = uri;
      } else if (name.charCodeAt(5) === 58) {
        const prefix = name.slice(6);
        checkDeclaration(prefix, uri);
        prefixes ??= new Map(this.#prefixes);
        prefixes.set(prefix, uri);
      }
    }
    if (prefixes === undefined && defaultNs === this.defaultNs) return this;
    return new NamespaceScope(defaultNs, prefixes ?? this.#prefixes);
  }

  resolve(prefix: string): string {
    const uri = this.#prefixes.get(prefix);
    // RFC 6120 §4.9.3.2
    if (uri === undefined) throw new StreamError('bad-namespace-prefix', `The prefix "${prefix}" is not declared.`);
    return uri;
  }

  /** Attributes in the form that `Element` keeps, declarations left out. */
  attributes(attributes: QualifiedAttributes): string[] {
    const list: string[] = [];
    for (const name in attributes) {
      const colon = name.indexOf(':');
      if (colon === -1) {
        if (name !== 'xmlns') list.push(name, attributes[name] as string);
        continue;
      }
      const prefix = name.slice(0, colon);
      if (prefix === 'xmlns') continue;
      const local = localPart(name, colon);
      const key = prefix === 'xml' ? name : `{${this.resolve(prefix)}}${local}`;
      // Namespaces in XML §6.3: two prefixes of one namespace make the same attribute
      if (prefix !== 'xml' && list.includes(key)) throw badNamespace(`The attribute ${local} stands twice.`);
      list.push(key, attributes[name] as string);
    }
    return list;
  }
}

/** The part behind the colon; a name has one colon at most and nothing empty on either side. */
export function localPart(name: string, colon: number): string {
  const local = name.slice(colon + 1);
  if (colon === 0 || local === '' || local.includes(':')) throw badNamespace(`The name ${name} is malformed.`);
  const first = local.charCodeAt(0);
  // a local part is a name itself: it begins with no digit, hyphen or full stop
  if ((first >= 48 && first <= 57) || first === 45 || first === 46) throw badNamespace(`The name ${name} is malformed.`);
  return local;
}

function checkDeclaration(prefix: string, uri: string): void {
  localPart(`xmlns:${prefix}`, 5);
  if (uri === '') throw badNamespace(`The prefix "${prefix}" is declared as nothing.`);
  if (prefix === 'xmlns' || uri === NS.xmlns) throw badNamespace('The xmlns namespace may not be declared.');
  if ((prefix === 'xml') !== (uri === NS.xml)) throw badNamespace('The xml prefix and its namespace belong together.');
}

function badNamespace(text: string): StreamError {
  return new StreamError('not-well-formed', text);
}
