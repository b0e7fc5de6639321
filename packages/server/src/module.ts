import type { Keys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Metrics } from '@parley/metrics/registry';
import type { Jid } from '@parley/xmpp/jid';
import type { ZodObject } from 'zod';
import type { AccountPart } from './account-part.ts';
import type { Authenticator } from './auth/authenticator.ts';
import type { MoveRule } from './auth/moves/move-rule.ts';
import type { Configuration, ModuleConfiguration, ModuleSettings } from './config/schema.ts';
import type { Disclosure, Identity } from './disclosure.ts';
import type { Hooks } from './hooks.ts';
import type { IqTable } from './iq.ts';
import type { Log } from './log.ts';
import type { Transport } from './net/transport.ts';
import type { Peers } from './peers.ts';
import type { Router } from './routing/router.ts';
import type { Journal } from './session/journal.ts';
import type { OtherNodes } from './session/other-nodes.ts';
import type { Requests } from './session/requests.ts';
import type { ResumptionStore } from './session/resumption/resumption-store.ts';
import type { Session } from './session/session.ts';
import type { Sessions } from './session/sessions.ts';
import type { OnBind } from './stream/bind.ts';
import type { StreamFeatures } from './stream/features.ts';
import type { Tracing } from './tracing/tracing.ts';

/** A class that stands for the one instance of it that a module offers to others. */
type Token<T> = abstract new (...args: never[]) => T;

/** Ports that a module wants to be opened. */
export interface ServicePort {
  /** By the name in the configuration. */
  readonly name: string;
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** Somebody has connected, within the limits by address; whoever takes it tells those when it is over. */
  accept(transport: Transport): void;
  /** Nobody new comes any more: the node stops, or others are to take over what it has. */
  onClose?(): void;
}

/** What a module works with. */
export interface ModuleContext {
  /** The running configuration: read it when it is needed, since a reload replaces it. */
  readonly config: () => Configuration;
  /** This module's own part of the configuration, likewise. */
  readonly options: () => ModuleConfiguration;
  readonly domains: readonly string[];
  readonly keyspace: Keyspace;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly iq: IqTable;
  readonly features: StreamFeatures;
  readonly router: Router;
  readonly sessions: Sessions;
  readonly journal: Journal;
  /** Requests of the server to its clients. */
  readonly requests: Requests;
  readonly accounts: Authenticator;
  /** The modules of other nodes. */
  readonly peers: Peers;
  /** Which stanzas are traced; undefined where none are. */
  readonly tracing?: Tracing | undefined;
  readonly disclosure: Disclosure;
  /** All modules that were given, switched on or not. */
  readonly modules: readonly Module[];
  /** Makes a session of an authenticated stream: for what binds in another way than RFC 6120 §7. */
  readonly onBind: OnBind;
  /** What is recorded of sessions. */
  readonly sessionStore: ResumptionStore;
  /** Undefined where this node is alone. */
  readonly otherNodes: OtherNodes | undefined;
  /** Makes a session again that another process left; it has no stream yet. */
  restoreSession(jid: Jid, sessionId: string): Session;
  /**
   * Called with what tells which owners of sessions are gone: what is recorded of theirs is to be taken over. At first
   * before anybody can connect, and later whenever another node is gone.
   */
  onReap(reap: (isGone: (owner: string, sid: string) => boolean) => Promise<void>): void;
  /** A secret that all nodes share, for this purpose alone (32 bytes). */
  secret(purpose: string): Buffer;
  isLocal(jid: Jid): boolean;
  isAdmin(jid: Jid): boolean;
  /** Has ports opened once everything is there, and closed with those of clients. */
  listen(port: ServicePort): void;
  /** Offers an instance to modules that come later in the list. */
  provide<T extends object>(token: Token<T>, instance: T): void;
  /** The instance that an earlier module offered. */
  use<T extends object>(token: Token<T>): T;
  /** Called when all modules are set up, before anybody can connect. */
  onStart(start: () => Promise<void>): void;
  /** Called when the node stops. */
  onStop(stop: () => void | Promise<void>): void;
}

/** A XEP that a module has, for the documents. */
export interface XepSupport {
  readonly number: number;
  readonly version: string;
  /** A remark, as a sentence. */
  readonly note?: string;
  /** Only a part of it. */
  readonly partial?: boolean;
}

/** A plugin: a declaration and one `setup`. */
export interface Module {
  /** In the configuration it is `modules.<name>`, unless it is essential. */
  readonly name: string;
  readonly xeps?: readonly XepSupport[];
  readonly description?: string;
  /** False where it must be switched on. */
  readonly enabled?: boolean;
  /** Others cannot do without it: it has no options and is always on. */
  readonly essential?: true;
  /** Features of the server itself (XEP-0030), and of its accounts. */
  readonly features?: readonly string[];
  readonly accountFeatures?: readonly string[];
  readonly identities?: readonly Identity[];
  readonly options?: ZodObject;
  /** Its keys; those of an account go when the account does. */
  readonly keys?: readonly Keys[];
  /** Those of an account go along as they are when it gets another address, unless a rule says something else. */
  readonly moves?: readonly MoveRule[];
  /** What of an account is exported and imported (XEP-0227). */
  readonly parts?: readonly AccountPart[];
  setup(context: ModuleContext): void | Promise<void>;
}

export function defineModule(module: Module): Module {
  return module;
}

/** What modules bring into the configuration. */
export const moduleSettings = (modules: readonly Module[]): ModuleSettings[] =>
  modules
    .filter(({ essential }) => !essential)
    .map(({ name, description, enabled, options }) => ({ name, description, enabled, schema: options }));
