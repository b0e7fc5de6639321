import { openKeyspace } from '@parley/keyspace/open';
import type { AccountPart, PartHost } from '@parley/server/account-part';
import { type Configuration, configurationSchema } from '@parley/server/config/schema';
import { moduleSettings } from '@parley/server/module';
import { modules } from '@parley/server/modules';
import { elementFromText } from '@parley/xmpp/element-text';
import { Jid } from '@parley/xmpp/jid';
import type { Partly } from './server.ts';

export const JULIET = Jid.parse('juliet@capulet.com');

/** What a part of an account works with, empty, and what it makes of XML text. */
export async function partHost(part: AccountPart, config: Partly<Configuration> = {}) {
  const { keyspace } = await openKeyspace('embedded::memory:');
  const host: PartHost = { keyspace, config: configurationSchema(moduleSettings(modules)).parse(config) };
  return {
    ...host,
    reads: (text: string) => part.reads(elementFromText(text)),
    read: (text: string, account = JULIET) => part.read(account, elementFromText(text), host),
    async written(account = JULIET) {
      let text = '';
      for await (const piece of part.write(account, host)) text += piece;
      return text;
    },
    clear: (account = JULIET) => part.clear(account, host),
  };
}
