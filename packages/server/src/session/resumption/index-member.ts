import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';

/** What stands in the index of sessions. */
export const memberOf = (account: Jid, resource: string, sid: string, epoch: number): string =>
  `${sid} ${epoch} ${account.bareText}/${resource}`;

export const waitingMemberOf = (account: Jid, resource: string, sid: string, owner: string): string =>
  `${sid} ${owner} ${account.bareText}/${resource}`;

// The JID may hold spaces itself.
export const MEMBER = /^(?<sid>[0-9a-f]{16}) (?<epoch>\d+) (?<jid>.+)$/s;
export const WAITING_MEMBER = /^(?<sid>[0-9a-f]{16}) (?<owner>[0-9a-f]{16}) (?<jid>.+)$/s;

/** Reads a member of either index. */
export function readMember(member: string, form: RegExp): { sid: string; epoch: number; owner: string; jid: Jid } {
  const { sid, epoch, owner = '', jid: text } = form.exec(member)?.groups ?? {};
  const jid = text === undefined ? undefined : Jid.tryParse(text);
  if (sid === undefined || jid === undefined) {
    throw new KeyspaceError('damaged', `A member of an index of sessions cannot be read: ${member}`);
  }
  return { sid, epoch: Number(epoch), owner, jid };
}
