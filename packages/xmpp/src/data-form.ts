import { Element } from './element.ts';
import { NS } from './namespaces.ts';
import { StanzaError } from './stanza-error.ts';

const formTypes = ['form', 'submit', 'cancel', 'result'] as const;
const fieldTypes = [
  'boolean',
  'fixed',
  'hidden',
  'jid-multi',
  'jid-single',
  'list-multi',
  'list-single',
  'text-multi',
  'text-private',
  'text-single',
] as const;

export type FormType = (typeof formTypes)[number];
export type FieldType = (typeof fieldTypes)[number];

export interface FormOption {
  readonly value: string;
  readonly label?: string;
}

export interface FormField {
  /** The `var` attribute; '' where there is none, as with fixed texts, which some clients send back without their type. */
  readonly name: string;
  /** Undefined where the text does not say: in a submission the form that was sent does. */
  readonly type?: FieldType;
  readonly label?: string;
  readonly description?: string;
  readonly required?: boolean;
  /** One string a line for `text-multi`. */
  readonly values: readonly string[];
  readonly options?: readonly FormOption[];
}

interface FormContent {
  title?: string;
  instructions?: string;
  fields?: readonly FormField[];
  /** The columns of a table of results, and its rows: XEP-0004 §3.4. */
  reported?: readonly FormField[];
  items?: readonly (readonly FormField[])[];
}

/** A data form (XEP-0004), immutable. */
export class DataForm {
  readonly type: FormType;
  readonly title: string | undefined;
  readonly instructions: string | undefined;
  readonly fields: readonly FormField[];
  readonly reported: readonly FormField[];
  readonly items: readonly (readonly FormField[])[];
  readonly #byName = new Map<string, FormField>();

  constructor(type: FormType, { title, instructions, fields = [], reported = [], items = [] }: FormContent = {}) {
    this.type = type;
    this.title = title;
    this.instructions = instructions;
    this.fields = fields;
    this.reported = reported;
    this.items = items;
    for (const field of fields) if (field.name !== '') this.#byName.set(field.name, field);
  }

  /** Reads an `<x/>`. Throws StanzaError `bad-request`. */
  static parse(x: Element): DataForm {
    const type = formTypes.find((each) => each === x.attr('type'));
    if (type === undefined) throw malformed('The form has no known type.');
    const instructions = x.elements.filter((child) => child.is('instructions', NS.dataForms));
    return new DataForm(type, {
      title: x.childText('title'),
      instructions: instructions.length === 0 ? undefined : instructions.map((child) => child.text).join('\n'),
      fields: parseFields(x),
      reported: parseFields(x.child('reported')),
      items: x.elements.filter((child) => child.is('item', NS.dataForms)).map(parseFields),
    });
  }

  field(name: string): FormField | undefined {
    return this.#byName.get(name);
  }

  /** The first value of a field. */
  value(name: string): string | undefined {
    return this.#byName.get(name)?.values[0];
  }

  /** What the form is about, where it says so (XEP-0068). */
  get subject(): string | undefined {
    return this.value('FORM_TYPE');
  }

  toElement(): Element {
    const children: Element[] = [];
    if (this.title !== undefined) children.push(Element.of('title', NS.dataForms, {}, this.title));
    for (const line of this.instructions?.split('\n') ?? []) {
      children.push(Element.of('instructions', NS.dataForms, {}, line));
    }
    children.push(...this.fields.map(fieldElement));
    if (this.reported.length > 0) {
      children.push(Element.of('reported', NS.dataForms, {}, ...this.reported.map(fieldElement)));
    }
    for (const item of this.items) children.push(Element.of('item', NS.dataForms, {}, ...item.map(fieldElement)));
    return Element.of('x', NS.dataForms, { type: this.type }, ...children);
  }
}

/** The hidden field that says what a form is about (XEP-0068). */
export function formSubject(subject: string): FormField {
  return { name: 'FORM_TYPE', type: 'hidden', values: [subject] };
}

function parseFields(parent: Element | undefined): FormField[] {
  const fields = (parent?.elements ?? []).filter((child) => child.is('field', NS.dataForms)).map(parseField);
  const named = fields.filter((field) => field.name !== '');
  if (new Set(named.map((field) => field.name)).size < named.length) throw malformed('A field stands there twice.');
  return fields;
}

function parseField(element: Element): FormField {
  const name = element.attr('var') ?? '';
  const typeText = element.attr('type');
  // XEP-0004 §3.3: a type that is not known is treated as text-single.
  const type = typeText === undefined ? undefined : (fieldTypes.find((each) => each === typeText) ?? 'text-single');
  const childrenNamed = (child: string) => element.elements.filter((each) => each.is(child, NS.dataForms));
  const options = childrenNamed('option').map((option) => {
    return { value: option.childText('value') ?? '', label: option.attr('label') };
  });
  return {
    name,
    type,
    label: element.attr('label'),
    description: element.childText('desc'),
    required: element.child('required') !== undefined,
    values: childrenNamed('value').map((value) => value.text),
    options,
  };
}

function fieldElement({ name, type, label, description, required, values, options }: FormField): Element {
  const children: Element[] = [];
  if (description !== undefined) children.push(Element.of('desc', NS.dataForms, {}, description));
  if (required) children.push(Element.of('required', NS.dataForms));
  for (const value of values) children.push(Element.of('value', NS.dataForms, {}, value));
  for (const option of options ?? []) {
    const value = Element.of('value', NS.dataForms, {}, option.value);
    children.push(Element.of('option', NS.dataForms, { label: option.label }, value));
  }
  return Element.of('field', NS.dataForms, { var: name || undefined, type, label }, ...children);
}

function malformed(text: string): StanzaError {
  return new StanzaError('bad-request', { text });
}
