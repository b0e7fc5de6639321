import { decodeBase64 } from '@parley/xmpp/base64';
import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import {
  type ScramHash,
  type ScramParameters,
  type ScramVerifier,
  verifierOfSalted,
} from '@parley/xmpp/sasl/scram-verifier';
import { SaslError } from '@parley/xmpp/sasl-error';
import type { Authenticator } from '../../auth/authenticator.ts';
import type { Configuration } from '../../config/schema.ts';
import type { Log } from '../../log.ts';
import type { LoginTask, LoginTasks, ProvenLogin } from '../../stream/login-task.ts';
import { mechanismsOf } from '../../stream/sasl-offers.ts';
import type { Stream } from '../../stream/stream.ts';
import { asksFor, upgradeElement } from './requested-tasks.ts';

export interface ScramUpgradesOptions {
  readonly accounts: Authenticator;
  readonly config: () => Configuration;
  readonly log: Log;
}

const taskName = (hash: ScramHash) => `UPGR-SCRAM-${hash}`;

/**
 * §3: verifiers of hashes that an account has none of, or with fewer iterations than are wanted now. Whoever has proved by
 * SCRAM that they know the password brings it salted and hashed: the server never learns the password.
 */
export class ScramUpgrades implements LoginTasks {
  readonly #options: ScramUpgradesOptions;

  constructor(options: ScramUpgradesOptions) {
    this.#options = options;
  }

  /** The same whoever it is: which verifiers an account has would tell that there is one. */
  advertise({ domain }: Stream): Element[] {
    return this.#hashes(domain).map((hash) => upgradeElement(taskName(hash)));
  }

  #hashes(domain: string): ScramHash[] {
    const { accounts, config } = this.#options;
    // nobody can see whether what comes is of the same password: it is as good as a change of the password
    if (!config().registration.passwordChange) return [];
    const names = mechanismsOf(domain, config());
    return accounts.upgrades?.(domain).filter((hash) => names.includes(`SCRAM-${hash}`)) ?? [];
  }

  async next({ stream, request, attempt, identity }: ProvenLogin): Promise<LoginTask | undefined> {
    const { verifier } = attempt;
    if (verifier === undefined) return undefined;
    for (const hash of this.#hashes(stream.domain)) {
      if (!asksFor(request, taskName(hash))) continue;
      const parameters = await this.#options.accounts.upgrade?.(identity, hash);
      if (parameters !== undefined) return this.#task(identity, parameters, verifier);
    }
    return undefined;
  }

  #task(account: Jid, parameters: ScramParameters, proved: ScramVerifier): LoginTask {
    const { salt, iterations } = parameters;
    const salted = Element.of('salt', NS.scramUpgrade, { iterations }, salt.toString('base64'));
    return {
      name: taskName(parameters.hash),
      step: (element) =>
        element.name === 'next' ? [salted] : this.#keep(account, verifierIn(element, parameters), proved),
    };
  }

  async #keep(account: Jid, better: ScramVerifier, proved: ScramVerifier): Promise<undefined> {
    const { accounts, log } = this.#options;
    const kept = await accounts.keepUpgraded?.(account, better, proved);
    if (!kept) throw new SaslError('temporary-auth-failure', 'The password was changed meanwhile.');
    log.info('account.upgraded', { account: account.toString(), hash: better.hash });
    return undefined;
  }
}

function verifierIn(element: Element, parameters: ScramParameters): ScramVerifier {
  const salted = decodeBase64(element.childText('hash', NS.scramUpgrade) ?? '');
  if (salted === undefined) throw new SaslError('incorrect-encoding');
  try {
    return verifierOfSalted(salted, parameters);
  } catch (error) {
    if (error instanceof RangeError) throw new SaslError('malformed-request', error.message);
    throw error;
  }
}
