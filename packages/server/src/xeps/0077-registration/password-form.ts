import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { type NewPassword, passwordChangeForm, readPasswordChange } from '@parley/xmpp/password-change-form';

/** The content of an answer that asks for more. */
export const passwordQuery = (username: string): Element =>
  Element.of('query', NS.register, {}, passwordChangeForm(username).toElement());

/**
 * What a request asks for: by the form, or else by the elements of the query. Undefined where it does not say. Throws a
 * StanzaError where the form is not filled in as it should be.
 */
export function readNewPassword(query: Element): NewPassword | undefined {
  const x = query.child('x', NS.dataForms);
  if (x !== undefined) return readPasswordChange(x);
  const [username, password] = [query.childText('username'), query.childText('password')];
  return username && password ? { username, password } : undefined;
}
