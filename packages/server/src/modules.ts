import hiddenAccounts from './im/hidden-accounts.ts';
import accountMoves from './im/moves.ts';
import presence from './im/presence.ts';
import requests from './im/requests.ts';
import roster from './im/roster.ts';
import strangers from './im/strangers.ts';
import subscription from './im/subscription.ts';
import type { Module } from './module.ts';
import lastActivity from './xeps/0012-last-activity/last-activity.ts';
import disco from './xeps/0030-disco.ts';
import privateStorage from './xeps/0049-private-storage/private-storage.ts';
import vcard from './xeps/0054-vcard/vcard.ts';
import search from './xeps/0055-search/search.ts';
import registration from './xeps/0077-registration/registration.ts';
import legacyAuth from './xeps/0078-legacy-auth.ts';
import version from './xeps/0092-version.ts';
import jidEscaping from './xeps/0106-jid-escaping.ts';
import component from './xeps/0114-component.ts';
import caps from './xeps/0115-caps.ts';
import compression from './xeps/0138-compression.ts';
import vcardAvatars from './xeps/0153-vcard-avatars.ts';
import contactAddresses from './xeps/0157-contact-addresses.ts';
import offline from './xeps/0160-offline/offline.ts';
import anonymous from './xeps/0175-anonymous.ts';
import blocking from './xeps/0191-blocking/blocking.ts';
import streamManagement from './xeps/0198-stream-management/stream-management.ts';
import ping from './xeps/0199-ping/ping.ts';
import time from './xeps/0202-time.ts';
import delay from './xeps/0203-delay.ts';
import carbons from './xeps/0280-carbons/carbons.ts';
import hints from './xeps/0334-hints.ts';
import clientState from './xeps/0352-client-state/client-state.ts';
import delegation from './xeps/0355-namespace-delegation/delegation.ts';
import privilegedEntity from './xeps/0356-privileged-entity/privileged-entity.ts';
import stanzaId from './xeps/0359-stanza-id.ts';
import bind2 from './xeps/0386-bind2.ts';
import sasl2 from './xeps/0388-sasl2/sasl2.ts';
import streamLimits from './xeps/0478-stream-limits.ts';
import upgradeTasks from './xeps/0480-upgrade-tasks/upgrade-tasks.ts';
import fast from './xeps/0484-fast/fast.ts';
import accountScopes from './xeps/0493-account-scopes.ts';
import clientAccess from './xeps/0494-client-access/client-access.ts';
import pipelining from './xeps/0509-pipelining.ts';

/** Everything that a node can do beyond streams and routing, in the order in which stanzas meet it. */
export const modules: readonly Module[] = [
  // getting in
  accountScopes, // before all that could do more for a client than it may
  registration,
  legacyAuth,
  anonymous,
  sasl2,
  upgradeTasks,
  pipelining,
  compression,
  streamLimits,
  // contacts and their presence
  roster,
  strangers,
  hiddenAccounts,
  subscription,
  presence,
  requests,
  accountMoves,
  blocking,
  streamManagement,
  bind2, // behind what resumes sessions
  fast,
  clientAccess,
  component,
  privilegedEntity,
  delegation,
  // what stanzas may carry
  vcardAvatars,
  delay,
  stanzaId,
  hints,
  // what the server answers
  disco,
  caps,
  contactAddresses,
  lastActivity,
  version,
  time,
  ping,
  privateStorage,
  vcard,
  search,
  jidEscaping,
  // copies, messages that nobody took, and what can wait for a client
  carbons,
  offline,
  clientState,
];
