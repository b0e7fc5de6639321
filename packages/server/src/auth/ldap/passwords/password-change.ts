import {
  Attribute,
  BerWriter,
  BindRequest,
  Change,
  ExtendedRequest,
  type Message,
  ModifyRequest,
  PasswordPolicyControl,
} from 'ldapts';
import type { DirectoryPreset } from '../presets.ts';

const PASSWORD_MODIFY = '1.3.6.1.4.1.4203.1.11.1'; // RFC 3062

export interface Passwords {
  /** Where it is given, the person itself changes the password. */
  readonly old?: string;
  readonly new: string;
}

/** What is sent to change a password. */
export interface PasswordChange {
  /** Where the person has to be bound first. */
  readonly bind: BindRequest | undefined;
  readonly request: Message;
  /** Filled by the answer. */
  readonly policy: PasswordPolicyControl;
}

export function passwordChange(
  dn: string,
  passwords: Passwords,
  how: DirectoryPreset['passwordChange'],
): PasswordChange {
  const policy = new PasswordPolicyControl();
  if (how === 'unicodePwd') {
    // Somebody whose password has expired cannot bind there, but whoever has the old one may change it.
    const changes = unicodeChanges(passwords);
    return { bind: undefined, request: new ModifyRequest({ messageId: 0, dn, changes }), policy };
  }
  const { old } = passwords;
  const bind = old === undefined ? undefined : new BindRequest({ messageId: 0, dn, password: old });
  const value = passwordModify(dn, passwords);
  const request = new ExtendedRequest({ messageId: 0, oid: PASSWORD_MODIFY, value, controls: [policy] });
  return { bind, request, policy };
}

function passwordModify(dn: string, passwords: Passwords): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeString(dn, 0x80);
  if (passwords.old !== undefined) writer.writeString(passwords.old, 0x81);
  writer.writeString(passwords.new, 0x82);
  writer.endSequence();
  return writer.buffer;
}

/** Active Directory takes passwords in quotation marks and UTF-16; the old one has to go for the new one to come. */
function unicodeChanges(passwords: Passwords): Change[] {
  const change = (operation: 'add' | 'delete' | 'replace', password: string) =>
    new Change({
      operation,
      modification: new Attribute({ type: 'unicodePwd', values: [Buffer.from(`"${password}"`, 'utf16le')] }),
    });
  if (passwords.old === undefined) return [change('replace', passwords.new)];
  return [change('delete', passwords.old), change('add', passwords.new)];
}
