import { createHmac } from 'node:crypto';
import { Jid } from '@parley/xmpp/jid';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Peers } from '../../peers.ts';
import { RemoteSession } from '../../session/remote-session.ts';
import type { Session } from '../../session/session.ts';
import type { BoundSession, Sessions } from '../../session/sessions.ts';
import type { Stream } from '../../stream/stream.ts';
import type { Streams } from '../../stream/streams.ts';
import { type AccessKind, clientIdOf, kindOf } from './access-kind.ts';
import { tokensOf, withoutGrant, withoutTokens } from './client-record.ts';
import type { ClientStore } from './client-store.ts';
import type { RevokedGrants } from './revoked-grants.ts';

export interface ClientAccessOptions {
  readonly store: ClientStore;
  readonly revoked: RevokedGrants;
  readonly sessions: Sessions;
  readonly streams: Streams;
  readonly peers: Peers;
  /** Makes the names by which clients are called (32 bytes), the same on all nodes. */
  readonly secret: Buffer;
}

/** Something that has access to an account, as its owner is told (XEP-0494 §3.1). */
export interface Client {
  /** Tells it from the others of the account, and nothing else. */
  readonly id: string;
  readonly connected: boolean;
  /** Whether it has ever had a session. */
  readonly type: 'session' | 'access';
  /** Milliseconds since 1970, both. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** By what it comes, as far as that is known. */
  readonly auth: readonly (AccessKind | 'fast')[];
  readonly mechanism: string | undefined;
  readonly restricted: boolean;
  readonly software: string | undefined;
  readonly device: string | undefined;
}

/** `own`: it is the client that asks, whose session is left to end. `password` and `other`: it could come back at once. */
export type Revoked = 'done' | 'own' | 'unknown' | 'password' | 'other';

/** What is to end, on whatever node. */
interface Ending {
  readonly account: string;
  /** The client, by its own id; undefined for whoever is there. */
  readonly client?: string | undefined;
  readonly resource?: string | undefined;
  /** The OAuth client. */
  readonly grant?: string | undefined;
}

const SUBJECT = 'client-revoked';
const ID_BYTES = 12;
/** No login takes longer. */
const LOGIN_MS = 120_000;

/** Which clients have access to an account, and what takes that away from them, in the whole cluster. */
export class ClientAccess {
  readonly #options: ClientAccessOptions;
  /** What was ended of late, by account, and when by `performance.now()`: a login that was under way then is found out by it. */
  readonly #ended = new Map<string, readonly { readonly ending: Ending; readonly at: number }[]>();

  constructor(options: ClientAccessOptions) {
    this.#options = options;
    options.peers.on(SUBJECT, (text) => this.#endElsewhere(JSON.parse(text) as Ending));
  }

  /** Nobody who is told of it learns the client's own id, by which it logs in. */
  #idOf(account: Jid, kind: 'client' | 'session', id: string): string {
    const code = createHmac('sha256', this.#options.secret).update(`${account.bareText}\0${kind}\0${id}`).digest();
    return code.subarray(0, ID_BYTES).toString('base64url');
  }

  /** Those that are remembered, and those that are there without being that, the last seen first. */
  async list(account: Jid): Promise<Client[]> {
    const { sessions, store } = this.#options;
    const now = Date.now();
    const left = new Set(sessions.of(account));
    const clients: Client[] = [];
    await store.forget(account);
    for (const [id, record] of await store.all(account)) {
      const own = [...left].filter((session) => isOf(session, id, record.resource));
      for (const session of own) left.delete(session);
      const goodTokens = tokensOf(record).filter(({ expires }) => expires > now);
      clients.push({
        id: this.#idOf(account, 'client', id),
        connected: own.length > 0,
        type: record.resource === undefined ? 'access' : 'session',
        firstSeen: record.since,
        lastSeen: own.length > 0 ? now : record.seen,
        auth: [
          ...(record.password ? (['password'] as const) : []),
          ...(record.grant ? (['grant'] as const) : []),
          ...(record.other ? (['other'] as const) : []),
          ...(goodTokens.length > 0 ? (['fast'] as const) : []),
        ],
        mechanism: record.mechanism,
        restricted: record.grant?.restricted === true && !record.password && !record.other,
        software: record.software,
        device: record.device,
      });
    }
    for (const session of left) clients.push(this.#unnamed(account, session, now));
    return clients.sort((one, other) => other.lastSeen - one.lastSeen);
  }

  /** A session whose client does not say who it is, or was forgotten. On another node nobody knows more than that it is there. */
  #unnamed(account: Jid, session: BoundSession, now: number): Client {
    const stream = streamOf(session);
    return {
      id: this.#idOf(account, 'session', session.sessionId),
      connected: true,
      type: 'session',
      firstSeen: session.boundAt,
      lastSeen: now,
      auth: [stream === undefined ? 'password' : kindOf(stream)],
      mechanism: stream?.mechanism,
      restricted: stream?.access.grant?.restricted ?? false,
      software: stream?.access.userAgent?.software,
      device: stream?.access.userAgent?.device,
    };
  }

  /**
   * Takes a client's access away: its tokens and what was granted are good for nothing from here on, and its sessions end.
   * One that knows a password, or has a certificate, is left alone, unless that is `forced`.
   */
  async revoke(
    account: Jid,
    id: string,
    { forced = false, asking }: { forced?: boolean; asking?: Session } = {},
  ): Promise<Revoked> {
    const { store, revoked, sessions } = this.#options;
    const all = await store.all(account);
    const found = [...all].find(([client]) => this.#idOf(account, 'client', client) === id);
    if (found === undefined) {
      const session = sessions.of(account).find(({ sessionId }) => this.#idOf(account, 'session', sessionId) === id);
      if (session === undefined) return 'unknown';
      if (!forced) return 'password'; // as far as anybody knows
      session.end(revocation());
      return 'done';
    }
    const [client, record] = found;
    if (!forced && record.password) return 'password';
    if (!forced && record.other) return 'other';
    const grant = record.grant?.client;
    const ending = { account: account.bareText, client, resource: record.resource, grant };
    // first what keeps it from coming back: a login that goes on meanwhile is given no token that outlasts this
    this.#remember(ending);
    if (grant !== undefined) {
      await revoked.add(account, grant);
      // it is one consent, on however many devices
      await store.changeAll(account, (each) => (each.grant?.client === grant ? withoutGrant(each) : each));
    }
    await store.remove(account, client);
    const isOwn = this.#endHere(ending, asking).some((stream) => stream === asking?.stream);
    await this.#options.peers.tell(SUBJECT, JSON.stringify(ending));
    return isOwn ? 'own' : 'done';
  }

  /** The same for all clients, whatever they come by. Who knows the password may log in again. */
  async revokeAll(account: Jid): Promise<void> {
    const ending = { account: account.bareText };
    this.#remember(ending);
    await this.#options.revoked.add(account, undefined);
    await this.#options.store.removeAll(account);
    this.#endHere(ending);
    await this.#options.peers.tell(SUBJECT, JSON.stringify(ending));
  }

  /** A client has logged out for good, and keeps what it is. */
  async endTokens(account: Jid, client: string): Promise<void> {
    await this.#options.store.change(account, client, (record) => record && withoutTokens(record));
  }

  /** Another node has taken it away. This one may have given the client another token before it heard of that. */
  async #endElsewhere(ending: Ending): Promise<void> {
    for (const { access, identity } of this.#endHere(ending)) {
      const client = clientIdOf(access);
      if (client !== undefined && identity !== undefined) await this.#options.store.remove(identity, client);
    }
  }

  /** Whether the access of a stream's client was taken away while it logged in. */
  isEnded(account: Jid, stream: Stream, resource?: string): boolean {
    const lately = this.#ended.get(account.bareText) ?? [];
    return lately.some(({ ending, at }) => at >= stream.begun && isMeant(stream, resource, ending));
  }

  #remember(ending: Ending): void {
    const at = performance.now();
    const isRecent = (each: { readonly at: number }) => each.at >= at - LOGIN_MS;
    for (const [account, lately] of this.#ended) {
      if (lately.some(isRecent)) break; // those that come behind are no older
      this.#ended.delete(account);
    }
    const lately = this.#ended.get(ending.account)?.filter(isRecent) ?? [];
    this.#ended.delete(ending.account);
    this.#ended.set(ending.account, [...lately, { ending, at }]);
  }

  /** Gives the streams of those that are meant, all of which end but that of whoever asks. */
  #endHere(told: Ending, asking?: Session): Stream[] {
    const { sessions, streams } = this.#options;
    const { account, ...ending } = told;
    this.#remember(told);
    const own = Jid.parse(account);
    const here = sessions.here(own);
    const bound = here.filter(({ stream, jid }) => isMeant(stream, jid.resource, ending));
    for (const session of bound) if (session !== asking) session.end(revocation());
    // and those that have authenticated, but not bound a resource yet
    const unbound = [...streams].filter(
      (stream) =>
        stream.identity?.equals(own) &&
        !here.some((session) => session.stream === stream) &&
        isMeant(stream, undefined, ending),
    );
    for (const stream of unbound) stream.error(revocation());
    return [...bound.map(({ stream }) => stream), ...unbound];
  }
}

/** What tells a client that its access was taken away. */
export const revocation = () => new StreamError('not-authorized', 'The access of this client was revoked.');

const streamOf = (session: BoundSession): Stream | undefined =>
  session instanceof RemoteSession ? undefined : session.stream;

/** Whether a session is that of a client. Of one that another node has, or had until its client comes back, only the resource is known. */
function isOf(session: BoundSession, client: string, resource: string | undefined): boolean {
  const stream = streamOf(session);
  const known = stream && clientIdOf(stream.access);
  if (known !== undefined || stream?.closed === false) return known === client;
  return session.jid.resource === resource;
}

function isMeant({ access, closed }: Stream, resource: string | undefined, ending: Omit<Ending, 'account'>): boolean {
  if (ending.client === undefined) return true;
  if (ending.grant !== undefined && access.grant?.client === ending.grant) return true;
  const known = clientIdOf(access);
  if (known !== undefined || !closed) return known === ending.client;
  return resource !== undefined && resource === ending.resource;
}
