import { Jid } from '../jid.ts';
import { accountOf, decodeMessage } from './identity.ts';
import { decodeSaslData } from './mechanisms.ts';
import { parseBearerMessage } from './oauth-bearer.ts';
import { parseClientFirst } from './scram-message.ts';

/**
 * Whom the first message of a client says that it is, before anything of it is proved; undefined where that is not to be
 * read from it. `text` is that of `<auth/>`.
 */
export function claimedAccount(mechanism: string, text: string, domain: string): Jid | undefined {
  try {
    if (mechanism.startsWith('HT-')) {
      const data = decodeSaslData(text) ?? Buffer.alloc(0);
      return accountOf(decodeMessage(data.subarray(0, data.indexOf(0))), domain);
    }
    if (mechanism === 'OAUTHBEARER') {
      const claimed = Jid.tryParse(parseBearerMessage(decodeSaslData(text) ?? Buffer.alloc(0)).authzid);
      return claimed?.domain === domain ? claimed.bare : undefined;
    }
    const message = decodeMessage(decodeSaslData(text) ?? Buffer.alloc(0));
    if (mechanism === 'PLAIN') return accountOf(message.split('\0')[1] ?? '', domain);
    if (mechanism.startsWith('SCRAM-')) return accountOf(parseClientFirst(message).username, domain);
  } catch {
    // whoever looks at all of it tells what is wrong with it
  }
  return undefined;
}
