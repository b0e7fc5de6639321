import { Element, type Node } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { photoBytes, photoElement } from '../../auth/picture.ts';
import { elementsOf, fieldsOf, type ProfileField } from '../../auth/profile-fields.ts';
import type { Profile, ProfileChange, Profiles } from '../../auth/profiles.ts';
import type { Awaitable } from '../../pipeline.ts';
import type { VcardStore } from './vcard-store.ts';

/**
 * The vCards of accounts: what they have set themselves, and in front of it what is known of them elsewhere, which of
 * the same kind counts alone.
 */
export class Vcards {
  readonly #store: VcardStore;
  readonly #profiles: Profiles;

  constructor(store: VcardStore, profiles: Profiles) {
    this.#store = store;
    this.#profiles = profiles;
  }

  /** `isKnown`: whoever asks has to do with the account. */
  async get(account: Jid, isKnown: () => Awaitable<boolean> = () => true): Promise<Element | undefined> {
    const [own, known] = await Promise.all([this.#store.get(account), this.#profiles.of(account)]);
    if (known === undefined || (known.profile.isInternal && !(await isKnown()))) return own;
    const { values, photo, fields } = known.profile;
    const children: Node[] = [...elementsOf(values), ...(photo === undefined ? [] : [photoElement(photo)])];
    children.push(...(own === undefined ? [] : parsed(own)).filter((child) => !isOf(child, fields)));
    return children.length === 0 ? undefined : Element.of('vCard', NS.vcard, {}, ...children);
  }

  /**
   * Replaces the vCard, but for what is kept elsewhere: of that, what has changed is changed there where the account may.
   * What it leaves out stays as it is there, since many clients send back only what they know of. Resolves with whether
   * something was changed elsewhere. Throws a StanzaError. `check` sees what is to be kept here.
   */
  async set(account: Jid, vcard: Element, check: (text: string) => void): Promise<boolean> {
    const known = await this.#profiles.of(account);
    const split = known === undefined ? { change: undefined, rest: vcard.children } : splitBy(known.profile, vcard);
    const { change, rest } = split;
    const elements = rest.filter((child) => typeof child !== 'string');
    const text = elements.length === 0 ? '' : vcardText(vcard, known === undefined ? undefined : elements);
    check(text);
    if (change !== undefined) await known?.source.change(account, change);
    await this.#store.set(account, text);
    return change !== undefined;
  }
}

const vcardText = (vcard: Element, children: readonly Node[] | undefined): string =>
  children === undefined ? vcard.toString() : Element.of('vCard', NS.vcard, {}, ...children).toString();

/** Kept text, as elements. */
function parsed(vcard: Element): Element[] {
  return stanzaFromText(Buffer.from(`<iq>${vcard}</iq>`)).payload?.elements ?? [];
}

/** The element is about something that comes from elsewhere alone. */
function isOf(child: Element, fields: Profile['fields']): boolean {
  if (child.is('PHOTO', NS.vcard)) return fields.has('photo');
  return fieldsOf(child).some(([field]) => fields.has(field));
}

/** What of a vCard is a change of what is kept elsewhere, and what is the account's own. */
function splitBy(profile: Profile, vcard: Element): { change: ProfileChange | undefined; rest: Element[] } {
  const said = new Map<ProfileField, string[]>();
  const rest: Element[] = [];
  const refused = new Set<string>();
  let photo: Buffer | null | undefined;
  for (const child of vcard.elements) {
    if (!isOf(child, profile.fields)) {
      rest.push(child);
    } else if (child.name === 'PHOTO') {
      photo = changedPhoto(profile, child);
      if (photo !== undefined && !profile.writable.has('photo')) {
        // an empty one is what clients send that know of none
        if (photo !== null || child.child('EXTVAL') !== undefined) refused.add('photo');
        photo = undefined;
      }
    } else {
      for (const [field, values] of fieldsOf(child)) said.set(field, [...(said.get(field) ?? []), ...values]);
    }
  }
  const values = new Map<ProfileField, readonly string[]>();
  for (const [field, texts] of said) {
    const known = profile.values.get(field) ?? [];
    const same = texts.every((text) => known.includes(text));
    if (!profile.fields.has(field)) continue; // one part of a name or an address comes from elsewhere, and this one does not
    if (!profile.writable.has(field)) {
      if (!same) refused.add(inWords(field));
    } else if (!same || texts.length < known.length) {
      values.set(field, texts);
    }
  }
  if (refused.size > 0) {
    const list = [...refused].join(', ');
    throw new StanzaError('not-allowed', {
      text: `This comes from the directory, where it has to be changed: ${list}.`,
    });
  }
  const nothing = values.size === 0 && photo === undefined;
  return { change: nothing ? undefined : { values, ...(photo !== undefined && { photo }) }, rest };
}

/** Another photo than there is, `null` for none; undefined where it is the same. */
function changedPhoto(profile: Profile, element: Element): Buffer | null | undefined {
  const bytes = photoBytes(element);
  if (bytes === undefined)
    return profile.photo === undefined && element.child('EXTVAL') === undefined ? undefined : null;
  return profile.photo?.bytes.equals(bytes) ? undefined : bytes;
}

/** `familyName` as people say it. */
const inWords = (field: string): string => field.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
