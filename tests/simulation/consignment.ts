import type { AccountRecord, SessionRecord } from './account-record.ts';
import { decide } from './decision.ts';
import type { StanzaEntry } from './journal.ts';
import { EFFECT, type Effect, type Origin } from './origins.ts';
import type { Content, Message } from './stanza.ts';

export type Outcome = 'committed' | 'refused';

/** Something that is to be committed to an account. */
export interface Consignment {
  readonly what:
    | { readonly kind: 'message'; readonly message: Message }
    /** The copy of what a client sent, for the other sessions of its account. */
    | { readonly kind: 'carbon'; readonly message: Message }
    /** What a session left that has ended; only without the rule endMovesEntries. */
    | { readonly kind: 'moved'; readonly entry: StanzaEntry };
  /** Undefined only without the rule originOfNode. */
  readonly origin: ((effect: Effect) => Origin) | undefined;
  readonly done: (outcome: Outcome) => void;
}

/** How a consignment is to be committed, by what is known of the account. */
export interface Plan {
  readonly refuse: boolean;
  /** Goes to the targets, or to the offline messages where there are none. */
  readonly stanza: StanzaEntry | undefined;
  readonly targets: readonly SessionRecord[];
  /** The target that the full JID names. */
  readonly addressed: string | undefined;
  readonly carbon: StanzaEntry | undefined;
  readonly carbonTargets: readonly SessionRecord[];
}

/** How far a failover is being made good. */
export interface Repair {
  /** The entry is put back, or was under way. */
  readonly putBack: boolean;
  /** It may have been committed, and nothing is left of it: what sessions know of it is of what was lost. */
  readonly moved: boolean;
}

export function plan({ what, origin }: Consignment, record: AccountRecord, eid: number, repair: Repair): Plan {
  const entry = (content: Content, effect: Effect, holders: readonly SessionRecord[]): StanzaEntry => ({
    eid,
    origin: origin?.(effect),
    content,
    ...repair,
    displaced: false,
    holders: holders.map(({ sid }) => sid),
  });
  if (what.kind === 'moved') {
    const targets = record.sessions.filter(({ available }) => available);
    const stanza = { ...what.entry, eid, moved: true, displaced: true };
    return { refuse: false, stanza, targets, addressed: undefined, carbon: undefined, carbonTargets: [] };
  }
  const { message } = what;
  const copy = (targets: readonly SessionRecord[]) =>
    targets.length === 0 ? undefined : entry({ kind: 'carbon', message }, EFFECT.carbon, []);
  if (what.kind === 'carbon') {
    const others = record.sessions.filter(({ sid, carbons }) => carbons && sid !== message.stream);
    return {
      refuse: false,
      stanza: undefined,
      targets: [],
      addressed: undefined,
      carbon: copy(others),
      carbonTargets: others,
    };
  }
  const { refuse, targets, carbons } = decide(record, message);
  const addressed = targets.find(({ resource }) => resource === message.resource)?.sid;
  const displaced = message.resource !== undefined && addressed === undefined;
  return {
    refuse,
    stanza: { ...entry({ kind: 'message', message }, EFFECT.stanza, targets), displaced },
    targets,
    addressed,
    carbon: copy(carbons),
    carbonTargets: carbons,
  };
}
