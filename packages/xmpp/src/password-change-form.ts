import { DataForm } from './data-form.ts';
import { readSubmission } from './data-form-submission.ts';
import type { Element } from './element.ts';

/** XEP-0077 §3.3: what is asked of those who change their password, where a name and the new one are not enough. */
const FORM_TYPE = 'jabber:iq:register:changepassword';

/** What somebody wants their password to be. */
export interface NewPassword {
  readonly username: string;
  readonly password: string;
  /** The one before, where the form asks for it. */
  readonly old?: string;
}

/** The form for somebody; `byOld`: it asks for the password before, too. */
export const passwordChangeForm = (username: string, byOld = true): DataForm =>
  new DataForm('form', {
    title: 'Change of the password',
    instructions: byOld
      ? 'Write the password that you have, and the one that you want to have.'
      : 'Write the password that you want to have.',
    fields: [
      { name: 'FORM_TYPE', type: 'hidden', values: [FORM_TYPE] },
      { name: 'username', type: 'text-single', label: 'User name', required: true, values: [username] },
      ...(byOld
        ? [
            {
              name: 'old_password',
              type: 'text-private',
              label: 'Password until now',
              required: true,
              values: [],
            } as const,
          ]
        : []),
      { name: 'password', type: 'text-private', label: 'New password', required: true, values: [] },
    ],
  });

/**
 * What the form was filled in with; undefined where it was given back empty. Throws a StanzaError where it is not filled in
 * as it should be.
 */
export function readPasswordChange(x: Element, byOld = true): NewPassword | undefined {
  const filled = readSubmission(passwordChangeForm('', byOld), x);
  if (filled === undefined) return undefined;
  const value = (name: string) => filled.get(name)?.[0] ?? '';
  // clients write the whole address here, too
  const username = value('username').replace(/@.*$/s, '');
  return { username, password: value('password'), ...(byOld && { old: value('old_password') }) };
}
