import { Jid } from '@parley/xmpp/jid';

/** What modules of other nodes are told of a session that they are to take over. */
export const OFFERED = 'session.offered';

/** A session that its owner has left in the keyspace, with all that its client has not acknowledged. */
export interface Offer {
  readonly owner: string;
  readonly sid: string;
  /** Bare. */
  readonly account: Jid;
  /** Under which it was left: a keyspace that knows of no such epoch has lost it. */
  readonly epoch: number;
}

export const encodeOffer = ({ owner, sid, account, epoch }: Offer): string =>
  `${owner} ${sid} ${epoch} ${account.bareText}`;

/** Throws where it is none. */
export function decodeOffer(text: string): Offer {
  const [, owner = '', sid = '', epoch = '', account = ''] = /^(\S+) (\S+) (\d+) (.+)$/s.exec(text) ?? [];
  return { owner, sid, epoch: Number(epoch), account: Jid.parse(account) };
}
