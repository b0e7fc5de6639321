export const NAME_CONSTRAINTS = '2.5.29.30';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
/** That as it stands in a certificate. */
const ENCODED = Buffer.from('0603551d1e', 'hex');

/** RFC 5280 §4.2.1.6: GeneralName */
const DNS_NAME = 2;
const MAIL = 1;
const URI = 6;
const IP_ADDRESS = 7;
/** What is no concern of a certificate that has no names of the kind. */
const ABOUT_OTHERS: ReadonlySet<number> = new Set([MAIL, URI, IP_ADDRESS]);

/** Whether an authority may have constraints; never false where it has some. */
export const mayBeConstrained = (authority: Buffer): boolean => authority.includes(ENCODED);

/**
 * Whether the constraints of an authority, if it has any, let a certificate have its alternative names (RFC 5280 §4.2.1.10). Of
 * constraints on anything but domains, nothing is permitted that they could be about, unless somebody else has judged that.
 */
export async function permits(authority: Buffer, certificate: Buffer, domainsAlone = false): Promise<boolean> {
  if (!mayBeConstrained(authority)) return true;
  const [asn1, pki] = await Promise.all([import('asn1js'), import('pkijs')]);
  const extensionOf = (der: Buffer, oid: string) => {
    const { extensions = [] } = pki.Certificate.fromBER(new Uint8Array(der));
    const [extension, another] = extensions.filter(({ extnID }) => extnID === oid);
    if (another !== undefined) throw new RangeError('It has the same extension twice.');
    return extension && asn1.fromBER(extension.extnValue.valueBlock.valueHexView).result;
  };
  try {
    const schema = extensionOf(authority, NAME_CONSTRAINTS);
    if (schema === undefined) return true;
    const { permittedSubtrees = [], excludedSubtrees = [] } = new pki.NameConstraints({ schema });
    const alternative = extensionOf(certificate, SUBJECT_ALTERNATIVE_NAME);
    const names = alternative === undefined ? [] : new pki.GeneralNames({ schema: alternative }).names;
    const kinds = new Set(names.map(({ type }) => type));
    const all = [...permittedSubtrees, ...excludedSubtrees].map(({ base }) => base);
    const isAboutIt = (type: number) => type !== DNS_NAME && (kinds.has(type) || !ABOUT_OTHERS.has(type));
    if (!domainsAlone && all.some(({ type }) => isAboutIt(type))) return false;
    const domains = (trees: typeof permittedSubtrees) =>
      trees.filter(({ base }) => base.type === DNS_NAME).map(({ base }) => String(base.value));
    const [permitted, excluded] = [domains(permittedSubtrees), domains(excludedSubtrees)];
    return names
      .filter(({ type }) => type === DNS_NAME)
      .every(({ value }) => isPermitted(String(value), permitted, excluded));
  } catch {
    return false; // it says something that cannot be read
  }
}

/** Whether a name is below one of those that are permitted, where there are any, and not below, nor stands for, one that is excluded. */
export function isPermitted(name: string, permitted: readonly string[], excluded: readonly string[]): boolean {
  const text = plain(name);
  if (permitted.length > 0 && !permitted.some((base) => isBelow(text, plain(base)))) return false;
  return !excluded.some((base) => {
    const tree = plain(base);
    return isBelow(text, tree) || (text.startsWith('*.') && isBelow(tree.replace(/^\./, ''), text.slice(2)));
  });
}

const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** A base with a dot in front is not in its own tree, as OpenSSL has it; an empty one is the tree of all. */
const isBelow = (name: string, base: string): boolean =>
  base === '' || (base.startsWith('.') ? name.endsWith(base) : name === base || name.endsWith(`.${base}`));
