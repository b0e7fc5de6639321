import type { ChannelBindingType } from '@parley/xmpp/sasl/mechanism';
import { saslMechanisms } from '@parley/xmpp/sasl/mechanisms';
import type { PasswordMechanism } from '../auth/authenticator.ts';
import type { Configuration } from '../config/schema.ts';
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
const BINDING_TYPES: readonly ChannelBindingType[] = ['tls-exporter', 'tls-server-end-point'];

/** These look at no password, so that the accounts need not have them. */
const WITHOUT_PASSWORD: ReadonlySet<string> = new Set(['EXTERNAL', 'ANONYMOUS']);

/** `carried`: what the accounts of the domain can log in with. */
export function offersOf(stream: Stream, config: Configuration, carried: ReadonlySet<PasswordMechanism>): Offers {
  const { transport, encrypted } = stream;
  const isCarried = (name: string) => WITHOUT_PASSWORD.has(name) || carried.has(name as PasswordMechanism);
  const names = mechanismsOf(stream.domain, config).filter(isCarried);
  const known = names.flatMap((name) => saslMechanisms.find((mechanism) => mechanism.name === name) ?? []);
  if (!encrypted) {
    const allowed = config.tls.required
      ? []
      : known.filter(({ name, needsTls }) => !needsTls || (name === 'PLAIN' && config.authentication.plainWithoutTls));
    const mechanisms = allowed.map(({ name }) => name);
    const needTls = names.filter((name) => !mechanisms.includes(name));
    return { mechanisms, channelBindingTypes: [], needTls };
  }
  const types = BINDING_TYPES.filter((type) => transport.channelBinding(type) !== undefined);
  const plain = known
    .map(({ name }) => name)
    .filter((name) => name !== 'EXTERNAL' || transport.peerCertificate !== undefined); // RFC 6120 §6.3.4
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
