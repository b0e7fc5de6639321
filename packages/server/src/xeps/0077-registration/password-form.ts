import { DataForm } from '@parley/xmpp/data-form';
import { readSubmission } from '@parley/xmpp/data-form-submission';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';

/** XEP-0077 §3.3: what is asked of those whose password cannot be changed without the one before. */
const FORM_TYPE = 'jabber:iq:register:changepassword';

/** What somebody wants their password to be. */
export interface NewPassword {
  readonly username: string;
  readonly password: string;
  /** The one before. */
  readonly old?: string;
}

const formFor = (username: string) =>
  new DataForm('form', {
    title: 'Change of the password',
    instructions: 'Write the password that you have, and the one that you want to have.',
    fields: [
      { name: 'FORM_TYPE', type: 'hidden', values: [FORM_TYPE] },
      { name: 'username', type: 'text-single', label: 'User name', required: true, values: [username] },
      { name: 'old_password', type: 'text-private', label: 'Password until now', required: true, values: [] },
      { name: 'password', type: 'text-private', label: 'New password', required: true, values: [] },
    ],
  });

/** The content of an answer that asks for more. */
export const passwordQuery = (username: string): Element =>
  Element.of('query', NS.register, {}, formFor(username).toElement());

/**
 * What a request asks for: by the form, or else by the elements of the query. Undefined where it does not say. Throws a
 * StanzaError where the form is not filled in as it should be.
 */
export function readNewPassword(query: Element): NewPassword | undefined {
  const x = query.child('x', NS.dataForms);
  if (x === undefined) {
    const [username, password] = [query.childText('username'), query.childText('password')];
    return username && password ? { username, password } : undefined;
  }
  const filled = readSubmission(formFor(''), x);
  if (filled === undefined) return undefined;
  const value = (name: string) => filled.get(name)?.[0] ?? '';
  // clients write the whole address here, too
  const username = value('username').replace(/@.*$/s, '');
  return { username, password: value('password'), old: value('old_password') };
}
