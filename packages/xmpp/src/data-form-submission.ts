import { DataForm, type FormField } from './data-form.ts';
import type { Element } from './element.ts';
import { Jid } from './jid.ts';
import { StanzaError } from './stanza-error.ts';

const multiple = new Set(['hidden', 'jid-multi', 'list-multi', 'text-multi']);

/**
 * What somebody has filled in, checked against the form that they were sent: values by field name. Fields that they left
 * out are not in it and keep the value that they have; fields that the form does not have are ignored (XEP-0004 §3.1).
 * Booleans come as `true` or `false`, JIDs prepared and once each; a field that
 * was emptied has no value or empty ones. Undefined where they cancelled.
 *
 * Throws StanzaError: `bad-request` for what is no submission, `not-acceptable` for a value that the form does not take.
 */
export function readSubmission(form: DataForm, x: Element): ReadonlyMap<string, readonly string[]> | undefined {
  const submitted = DataForm.parse(x);
  if (submitted.type === 'cancel') return undefined;
  if (submitted.type !== 'submit') throw new StanzaError('bad-request', { text: 'The form is not submitted.' });
  if (submitted.subject !== undefined && submitted.subject !== form.subject) {
    throw new StanzaError('bad-request', { text: 'This is another form.' });
  }

  const values = new Map<string, readonly string[]>();
  for (const field of form.fields) {
    if (field.name === '' || field.type === 'fixed') continue;
    const given = submitted.field(field.name);
    const checked = given === undefined ? undefined : check(field, given.values);
    if (field.required && !checked?.some((value) => value !== '')) throw refused(field, 'is required');
    if (checked !== undefined) values.set(field.name, checked);
  }
  return values;
}

function check(field: FormField, values: readonly string[]): readonly string[] {
  const type = field.type ?? 'text-single';
  if (values.length > 1 && !multiple.has(type)) throw refused(field, 'takes one value');
  if (type.startsWith('text-') || type === 'hidden') return values;
  const known = new Set(field.options?.map((option) => option.value));
  // XEP-0004 §3.6: nothing, or an empty value where that is no option, takes the value away.
  const given = values.filter((value) => value !== '' || known.has(value));
  if (type === 'boolean') return given.map((value) => booleanText(field, value));
  if (type.startsWith('jid-')) return [...new Set(given.map((value) => jidText(field, value)))];
  if (!given.every((value) => known.has(value))) throw refused(field, 'does not have this option');
  return given;
}

function booleanText(field: FormField, value: string): string {
  if (value === 'true' || value === '1') return 'true';
  if (value === 'false' || value === '0') return 'false';
  throw refused(field, 'is true or false');
}

function jidText(field: FormField, value: string): string {
  const jid = Jid.tryParse(value);
  if (jid === undefined) throw refused(field, 'takes addresses');
  return jid.toString();
}

function refused(field: FormField, why: string): StanzaError {
  return new StanzaError('not-acceptable', { text: `The field ${field.name} ${why}.` });
}
