import { createHash } from 'node:crypto';
import type { Element } from './element.ts';
import { NS } from './namespaces.ts';

/**
 * The verification string of XEP-0115 §5.1, by SHA-1, in base64. `info` is what stands in a disco#info `<query/>`:
 * identities, features and data forms; whatever else is passed over.
 */
export function verificationString(info: readonly Element[]): string {
  const of = (name: string, ns: string) => info.filter((element) => element.is(name, ns));
  const identities = of('identity', NS.discoInfo).map((identity) =>
    ['category', 'type', 'xml:lang', 'name'].map((name) => identity.attr(name) ?? ''),
  );
  const features = of('feature', NS.discoInfo).map((feature) => [feature.attr('var') ?? '']);
  const forms = of('x', NS.dataForms).map(formParts);
  const parts = [
    ...identities.sort(byParts).map((identity) => identity.join('/')),
    ...features.sort(byParts).flat(),
    ...forms.sort(byParts).flat(),
  ];
  return createHash('sha1').update(parts.map(ended).join('')).digest('base64');
}

const ended = (text: string) => `${text}<`;

/** The form's type, then its fields, each with its values. §5.4: a form that does not name its type counts for nothing. */
function formParts(form: Element): string[] {
  let type: string | undefined;
  const fields: string[][] = [];
  for (const field of form.elements) {
    if (!field.is('field', NS.dataForms)) continue;
    const name = field.attr('var') ?? '';
    const values = field.elements.filter((value) => value.is('value', NS.dataForms)).map((value) => value.text);
    if (name !== 'FORM_TYPE') fields.push([name, ...values.sort(byOctets)]);
    else if (field.attr('type') === 'hidden') type = values[0];
  }
  return type === undefined ? [] : [type, ...fields.sort(byParts).flat()];
}

/** Collation "i;octet" (RFC 4790 §9.3): the order of the UTF-8 bytes, which UTF-16 code units do not keep. */
function byOctets(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function byParts(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = byOctets(a[i] as string, b[i] as string);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
