import type { Jid } from '@parley/xmpp/jid';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { AccountImports, Authenticator } from './authenticator.ts';

/**
 * Imports into whatever keeps the accounts of a domain: the first that knows an account decides on it, and those whom nobody
 * knows are given to who makes accounts.
 */
export function importsIntoSources(
  find: (account: Jid) => Promise<Authenticator | undefined>,
  creator: (domain: string) => Authenticator | undefined,
): AccountImports {
  const importsOf = async (account: Jid) => (await find(account))?.imports;
  return {
    async begin(account, secrets) {
      const known = await find(account);
      if (known !== undefined) return known.imports?.begin(account, secrets) ?? 'elsewhere';
      const imports = creator(account.domain)?.imports;
      if (imports === undefined) {
        throw new StanzaError('item-not-found', {
          text: `The directory of ${account.domain} has nobody of this address: add the person there, and import again.`,
        });
      }
      return imports.begin(account, secrets);
    },
    secrets: async (account, secrets, replace) => (await importsOf(account))?.secrets(account, secrets, replace),
    describe: async (account, disabled, created) => (await importsOf(account))?.describe(account, disabled, created),
    end: async (account) => (await (await importsOf(account))?.end(account)) ?? [],
  };
}
