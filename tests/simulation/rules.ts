/**
 * The rules of the protocol, by their names. Each can be taken away: then some
 * runs must go wrong, or the simulation would not notice that the rule is broken.
 */
export const RULES = {
  dedupOnRead: 'the owner of a journal passes over entries whose origin the journal has had',
  assignBeforeSend: 'which entry gets which number is in the header before the bytes go out',
  commitBeforeAck: 'a stanza is counted as handled once all its effects are committed',
  persistBeforeAck: 'the count of handled stanzas is in the header before it is told to the client',
  renameOnTakeover: 'whoever takes a session over renames its journal',
  checkpointBeforeFirstSend: 'nothing is sent after a takeover before the first checkpoint under the new epoch',
  clientFirst: 'after a resumption nothing is sent or written before the client has shown that it is still there',
  ackedPrefixInHeader: 'the header tells how far the client has acknowledged, beyond what was trimmed',
  leaveFastModeFirst: 'a stanza that is not in the journal goes out only after a checkpoint that ends fast mode',
  resyncOnLinkLoss: 'after the loss of a link every session of that shard is read anew',
  renameOnLinkLoss: 'a session that is read anew after the loss of a link gets a new epoch',
  breakLinkOnLostPush: 'a push is never lost without the loss of its link',
  stashEarlyPushes: 'pushes that come before the reply which explains them are put by (two queues)',
  retryInOrder: 'what must be sent again goes before what was not sent yet',
  reassertAfterFailover: 'after a failover owners write their sessions as they remember them',
  reassertGivenUp: 'after a failover nodes also write what they gave up lately',
  replayAfterFailover: 'after a failover nodes send what they committed lately once more',
  replaysFirst: 'after a failover nothing new is committed before everything was sent once more',
  reassertsFirst: 'after a failover nothing is sent once more before all owners have written their sessions',
  copiesTellHolders: 'what is put back after a failover goes to the sessions that remaining copies name',
  putBackInOrder: 'what nodes have put back after a failover is read in the order in which it was sent',
  settleBeforeTakeover: 'after a failover sessions are bound and resumed only once the shard has settled',
  endMovesEntries: 'the operation that ends a session moves what it had not acknowledged',
  movedPassByOrigins: 'an entry that was moved is passed over only where the journal itself has had it',
  exactOrigins: 'origins are remembered one by one above a low-water mark',
  ownBelowLow: 'a journal remembers what it has had itself to some way below the low-water mark',
  effectInOrigin: 'the effect of the stanza is part of the origin',
  originOfNode: 'what no client caused has the incarnation of the node and a number as its origin',
  acceptedAlwaysFits: 'the limit of offline messages refuses new ones only',
  unknownIsSentAgain: 'a commit of unknown outcome is sent again and never answered with an error',
  versionedRoutes: 'a decision is carried out only if the account is still as it was when it was made',
  fenceOnChange: 'a change that others have cached renames the journals of the account',
  plainToSingleSession: 'plain commands only write to an account that has a single session',
  oneWayAtATime: 'plain commands and operations of one lane are never in flight together',
  copiesKnowHolders: 'copies of one message name the sessions that got it, and only the last is moved',
  holdersProve: 'a session counts as a holder only if its journal has really had the entry',
  learnAtAvailable: 'a session that becomes available learns the origins that the account has had',
  learnAtEnd: 'the other sessions of an account learn the origins of one that ends',
  learnAfterFailover: 'when all was put back after a failover, sessions learn anew what the account has had',
  learnAtBind: 'a new session begins with the origins that the account has had',
  takeOfflineWithPresence: 'becoming available and taking the offline messages is one operation',
  answerUnderOwnEpoch: 'a node answers its client under the epoch of the session that asked',
  answeredOnce: 'a request that has been answered is not carried out again',
  refusalsRemembered: 'the first execution decides: a refusal is remembered, and checks that nothing was executed',
  carbonsDecidedAgain: 'a session whose journal was renamed decides anew about carbons of what it has not acknowledged',
  reclaimOwnOnly: 'a node reclaims only what nobody else has owned since',
  reclaimWhenBehind: 'an owner that hears of a newer epoch of its session reclaims it',
  reconcile: 'a node compares the sessions that are recorded as its own with those that it has',
} as const;

export type Rule = keyof typeof RULES;

export type Rules = Readonly<Record<Rule, boolean>>;

export function rulesWithout(...missing: readonly Rule[]): Rules {
  const rules = Object.fromEntries(Object.keys(RULES).map((rule) => [rule, true])) as Record<Rule, boolean>;
  for (const rule of missing) rules[rule] = false;
  return rules;
}
