import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { PasswordError, preparePassword } from '@parley/xmpp/password';
import { type NewPassword, passwordChangeForm, readPasswordChange } from '@parley/xmpp/password-change-form';
import { SaslError } from '@parley/xmpp/sasl-error';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { AccountsAway, type Authenticator } from '../../auth/authenticator.ts';
import type { Configuration } from '../../config/schema.ts';
import type { Log } from '../../log.ts';
import type { LoginTask, LoginTasks, ProvenLogin } from '../../stream/login-task.ts';
import type { Logins } from '../../stream/logins.ts';
import type { Stream } from '../../stream/stream.ts';
import { WindowCount } from '../../stream/window-count.ts';
import { asksFor, upgradeElement } from './requested-tasks.ts';

export interface PasswordChangesOptions {
  readonly accounts: Authenticator;
  readonly config: () => Configuration;
  readonly log: Log;
  readonly logins: Logins;
}

const TASK = 'CHANGE-PASSWORD';
const HOUR = 3_600_000;

/**
 * A password that is right, but has expired or has to be changed: whoever asks for this task changes it as part of the login
 * (XEP-0388 §2.6.3), and everybody else is told that it has expired. The form is that of XEP-0077.
 */
export class PasswordChanges implements LoginTasks {
  readonly #options: PasswordChangesOptions;
  readonly #changes = new WindowCount();

  constructor(options: PasswordChangesOptions) {
    this.#options = options;
  }

  advertise({ domain }: Stream): Element[] {
    return this.#offers(domain) ? [upgradeElement(TASK)] : [];
  }

  #offers(domain: string): boolean {
    const { accounts, config } = this.#options;
    return config().registration.passwordChange && accounts.renews?.(domain) === true;
  }

  renews({ domain }: Stream, request: Element): boolean {
    return this.#offers(domain) && asksFor(request, TASK);
  }

  async next(login: ProvenLogin): Promise<LoginTask | undefined> {
    const { expired, expiredPassword } = login.attempt;
    if (expired === undefined) return undefined;
    const renewal = await this.#options.accounts.renewal?.(login.identity);
    if (renewal === undefined) throw new SaslError(expired.condition, expired.text);
    const asked = renewal.byOld && expiredPassword === undefined;
    return {
      name: TASK,
      text: expired.text,
      step: (element) => {
        if (element.name === 'next') return [passwordChangeForm(login.identity.local, asked).toElement()];
        const wanted = filledIn(element, login, asked);
        return this.#change(login, wanted.password, renewal.byOld ? (expiredPassword ?? wanted.old) : undefined);
      },
    };
  }

  async #change({ stream, attempt, identity }: ProvenLogin, text: string, old?: string): Promise<undefined> {
    const { accounts, config, log, logins } = this.#options;
    const times = this.#changes.add(identity.bareText, HOUR, performance.now());
    if (times > config().limits.registration.passwordChangesPerHour) {
      stream.host.onLimit(stream, 'password-changes');
      throw new SaslError('temporary-auth-failure', 'Too many for now: try again later.');
    }
    const password = prepared(text);
    try {
      await accounts.setPassword?.(identity, password, undefined, old);
    } catch (error) {
      throw inSasl(error);
    }
    log.info('account.password', { account: identity.toString(), address: stream.transport.remoteAddress });
    // from here on it is a login by the new one, which the directory may have something to say about, too
    attempt.renews = false;
    attempt.expired = undefined;
    attempt.expiredPassword = undefined;
    attempt.begun = undefined;
    await logins.verify(attempt, identity, password);
    return undefined;
  }
}

function filledIn(element: Element, { identity, attempt }: ProvenLogin, byOld: boolean): NewPassword {
  const x = element.child('x', NS.dataForms);
  try {
    const wanted = x && readPasswordChange(x, byOld);
    if (wanted === undefined) throw new SaslError('aborted', attempt.expired?.text);
    if (!identity.equals(Jid.tryParse(`${wanted.username}@${identity.domain}`))) throw new SaslError('invalid-authzid');
    return wanted;
  } catch (error) {
    throw error instanceof StanzaError ? new SaslError('malformed-request', error.text) : error;
  }
}

function prepared(text: string): string {
  try {
    return preparePassword(text);
  } catch (error) {
    throw error instanceof PasswordError ? new SaslError('credentials-expired', `${error.message}.`) : error;
  }
}

/** Why the password stays what it was: what the policy of the directory has against the new one is told in its words. */
function inSasl(error: unknown): unknown {
  if (!(error instanceof StanzaError) || error instanceof AccountsAway) return error;
  const wrong = error.condition === 'not-authorized';
  return new SaslError(wrong ? 'not-authorized' : 'credentials-expired', error.text);
}
