import { DataForm, type FormField, formSubject } from '@parley/xmpp/data-form';
import { readSubmission } from '@parley/xmpp/data-form-submission';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { type Found, SEARCH_FIELDS, type SearchField, type SearchTerms } from '../../auth/profiles.ts';

const LABELS: Readonly<Record<SearchField, string>> = {
  first: 'First name',
  last: 'Last name',
  nick: 'Nickname',
  email: 'Mail address',
  name: 'Full name',
  unit: 'Unit',
};

/** Those that XEP-0055 knows without a form. */
const PLAIN: readonly SearchField[] = ['first', 'last', 'nick', 'email'];

/** §3: fields that the registrar does not know. */
const nameOf = (field: SearchField): string => (PLAIN.includes(field) ? field : `x-${field}`);

const MOST_CHARACTERS = 256;

const INSTRUCTIONS =
  'Fill in how what you look for begins. Of several fields, all have to fit. Capitals make no difference.';

const field = (name: SearchField): FormField => ({
  name: nameOf(name),
  type: 'text-single',
  label: LABELS[name],
  values: [],
});

const form = new DataForm('form', {
  title: 'Search for people',
  instructions: INSTRUCTIONS,
  fields: [formSubject(NS.search), ...SEARCH_FIELDS.map(field)],
});

/** What can be looked for: as the plain fields of XEP-0055 §2.1, and as a form (§3). */
export function searchFields(): Element {
  const plain = PLAIN.map((name) => Element.of(name, NS.search));
  const instructions = Element.of('instructions', NS.search, {}, INSTRUCTIONS);
  return Element.of('query', NS.search, {}, instructions, ...plain, form.toElement());
}

/** What somebody looks for. Throws a StanzaError. */
export function readSearch(query: Element): SearchTerms {
  const x = query.child('x', NS.dataForms);
  const submitted = x && readSubmission(form, x);
  if (x !== undefined && submitted === undefined)
    throw new StanzaError('bad-request', { text: 'The form is cancelled.' });
  const terms = new Map<SearchField, string>();
  for (const name of SEARCH_FIELDS) {
    const given = submitted === undefined ? query.childText(name) : submitted.get(nameOf(name))?.[0];
    const text = beginning(given ?? '', LABELS[name]);
    if (text !== '') terms.set(name, text);
  }
  if (terms.size === 0) throw new StanzaError('not-acceptable', { text: 'Fill in one field at least.' });
  return terms;
}

/** A star behind it says what is done anyway. */
function beginning(given: string, label: string): string {
  const text = given.trim().replace(/\*+$/, '').trim();
  if (text.length > MOST_CHARACTERS) {
    throw new StanzaError('not-acceptable', { text: `${label}: up to ${MOST_CHARACTERS} characters.` });
  }
  if (text.includes('*'))
    throw new StanzaError('not-acceptable', { text: `${label}: a * can stand at the end alone.` });
  return text;
}

/** Who was found, in the form in which was asked. */
export function searchResult({ people, more }: Found, asForm: boolean): Element {
  const limit = more ? `There are more: these are ${people.length} of them. Say more of whom you look for.` : undefined;
  if (asForm) {
    const jid: FormField = { name: 'jid', type: 'jid-single', label: 'Address', values: [] };
    const result = new DataForm('result', {
      ...(limit !== undefined && { instructions: limit }),
      fields: [formSubject(NS.search)],
      reported: [jid, ...SEARCH_FIELDS.map(field)],
      items: people.map(({ account, values }) => [
        { name: 'jid', values: [account.toString()] },
        ...SEARCH_FIELDS.flatMap((name) => {
          const value = values.get(name);
          return value === undefined ? [] : [{ name: nameOf(name), values: [value] }];
        }),
      ]),
    });
    return Element.of('query', NS.search, {}, result.toElement());
  }
  const items = people.map(({ account, values }) =>
    Element.of(
      'item',
      NS.search,
      { jid: account.toString() },
      ...PLAIN.map((name) => {
        const value = values.get(name);
        return Element.of(name, NS.search, {}, ...(value === undefined ? [] : [value]));
      }),
    ),
  );
  const note = limit === undefined ? [] : [Element.of('instructions', NS.search, {}, limit)];
  return Element.of('query', NS.search, {}, ...note, ...items);
}
