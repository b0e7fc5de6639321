import { Jid } from '@parley/xmpp/jid';

/** What modules of other nodes are told of a session that they are to take over. */
export const OFFERED = 'session.offered';

/** A session that its owner has left in the keyspace, with all that its client has not acknowledged. */
export interface Offer {
  readonly owner: string;
  readonly sid: string;
  /** Bare. */
  readonly account: Jid;
}

export const encodeOffer = ({ owner, sid, account }: Offer): string => `${owner} ${sid} ${account.bareText}`;

/** Throws where it is none. */
export function decodeOffer(text: string): Offer {
  const [, owner = '', sid = '', account = ''] = /^(\S+) (\S+) (.+)$/s.exec(text) ?? [];
  return { owner, sid, account: Jid.parse(account) };
}
