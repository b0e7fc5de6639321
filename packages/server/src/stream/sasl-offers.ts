import { tokenMechanisms } from '@parley/xmpp/sasl/hashed-token';
import type { ChannelBindingType } from '@parley/xmpp/sasl/mechanism';
import { saslMechanisms } from '@parley/xmpp/sasl/mechanisms';
import type { PasswordMechanism } from '../auth/authenticator.ts';
import type { Configuration } from '../config/schema.ts';
import { MadeBefore } from './made-before.ts';
import type { Stream } from './stream.ts';

/** What a stream offers in its present state. */
export interface Offers {
  /** Names, best first. */
  readonly mechanisms: readonly string[];
  readonly channelBindingTypes: readonly ChannelBindingType[];
  /** Mechanisms that this domain has, but not without encryption. */
  readonly needTls: readonly string[];
}

/** The stronger one first (XEP-0440 §3). */
const BINDING_TYPES: readonly ChannelBindingType[] = ['tls-exporter', 'tls-unique', 'tls-server-end-point'];

/** These look at no password, so that the accounts need not have them. */
export const WITHOUT_PASSWORD: ReadonlySet<string> = new Set(['EXTERNAL', 'GSSAPI', 'ANONYMOUS', 'OAUTHBEARER']);

const made = new MadeBefore<Offers>();

/** `carried`: what the accounts of the domain can log in with; `takesTickets`: Kerberos is there. */
export function offersOf(
  stream: Stream,
  config: Configuration,
  carried: ReadonlySet<PasswordMechanism>,
  takesTickets = false,
): Offers {
  const { transport, encrypted, domain } = stream;
  const types = encrypted ? BINDING_TYPES.filter((type) => transport.channelBinding(type) !== undefined) : [];
  const certified = encrypted && transport.peerCertificate !== undefined;
  return made.of([domain, config, carried, takesTickets, encrypted, certified, ...types], () => {
    const isCarried = (name: string) => WITHOUT_PASSWORD.has(name) || carried.has(name as PasswordMechanism);
    const isThere = (name: string) => isCarried(name) && (name !== 'GSSAPI' || takesTickets);
    const names = mechanismsOf(domain, config).filter(isThere);
    return encrypted ? encryptedOffers(names, types, isCarried, certified) : clearOffers(names, config);
  });
}

const known = (names: readonly string[]) =>
  names.flatMap((name) => saslMechanisms.find((mechanism) => mechanism.name === name) ?? []);

function clearOffers(names: readonly string[], config: Configuration): Offers {
  const allowed = config.tls.required
    ? []
    : known(names).filter(
        ({ name, needsTls }) => !needsTls || (name === 'PLAIN' && config.authentication.plainWithoutTls),
      );
  const mechanisms = allowed.map(({ name }) => name);
  const needTls = names.filter((name) => !mechanisms.includes(name));
  return { mechanisms, channelBindingTypes: [], needTls };
}

function encryptedOffers(
  names: readonly string[],
  types: readonly ChannelBindingType[],
  isCarried: (name: string) => boolean,
  certified: boolean,
): Offers {
  const plain = known(names)
    .map(({ name }) => name)
    .filter((name) => name !== 'EXTERNAL' || certified); // RFC 6120 §6.3.4
  const plus = saslMechanisms.filter(({ needsChannelBinding }) => needsChannelBinding).map(({ name }) => name);
  const bound =
    types.length === 0
      ? []
      : plain.map((name) => `${name}-PLUS`).filter((name) => plus.includes(name) && isCarried(name));
  return {
    mechanisms: [...bound, ...plain],
    channelBindingTypes: bound.length === 0 ? [] : types,
    needTls: [],
  };
}

const TOKENS = [...tokenMechanisms];

/** By which mechanisms tokens are given and taken on a connection: as it can bind (XEP-0484 §2.1). */
export const tokenMechanismsOn = ({ encrypted, transport }: Pick<Stream, 'encrypted' | 'transport'>): string[] =>
  encrypted ? TOKENS.filter(([, type]) => !type || transport.channelBinding(type)).map(([name]) => name) : [];

const byConfiguration = new WeakMap<Configuration, Map<string, readonly string[]>>();

/** What a domain's clients may log in by. There may be thousands of domains, so they are looked up in a table. */
export function mechanismsOf(domain: string, config: Configuration): readonly string[] {
  let table = byConfiguration.get(config);
  if (table === undefined) {
    table = new Map(config.domains.flatMap(({ name, mechanisms }) => (mechanisms ? [[name, mechanisms]] : [])));
    byConfiguration.set(config, table);
  }
  return table.get(domain) ?? config.authentication.mechanisms;
}
