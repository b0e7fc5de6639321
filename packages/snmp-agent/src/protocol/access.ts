import { BlockList, isIPv6 } from 'node:net';
import snmp from 'net-snmp';
import type { Oid } from './oid.ts';

export const AUTHENTICATIONS = ['SHA', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512'] as const;
export const PRIVACIES = ['AES', 'AES-256'] as const;

/** Somebody who asks with authentication and encryption (RFC 3414); there is no lower level. */
export interface UserSettings {
  readonly name: string;
  readonly authentication: { readonly protocol: (typeof AUTHENTICATIONS)[number]; readonly password: string };
  readonly privacy: { readonly protocol: (typeof PRIVACIES)[number]; readonly password: string };
  /** What may be read. */
  readonly subtrees: readonly Oid[];
}

/** Whoever knows a word and asks from one of these networks: SNMPv1 and v2c have nothing better. */
export interface CommunitySettings {
  readonly community: string;
  /** Addresses, and networks as 192.0.2.0/24. */
  readonly sources: readonly string[];
  readonly subtrees: readonly Oid[];
}

const { AuthProtocols, PrivProtocols, SecurityLevel } = snmp;

const AUTHENTICATION = {
  SHA: AuthProtocols.sha,
  'SHA-224': AuthProtocols.sha224,
  'SHA-256': AuthProtocols.sha256,
  'SHA-384': AuthProtocols.sha384,
  'SHA-512': AuthProtocols.sha512,
} as const;
/** AES-256 as Blumenthal's draft extends keys, which is what Net-SNMP calls so. */
const PRIVACY = { AES: PrivProtocols.aes, 'AES-256': PrivProtocols.aes256b } as const;

/** A user as net-snmp takes it. */
export const stockUser = ({ name, authentication, privacy }: Omit<UserSettings, 'subtrees'>): snmp.User => ({
  name,
  level: SecurityLevel.authPriv,
  authProtocol: AUTHENTICATION[authentication.protocol],
  authKey: authentication.password,
  privProtocol: PRIVACY[privacy.protocol],
  privKey: privacy.password,
});

/** Who may ask, and what they may see. */
export class Access {
  readonly users: ReadonlyMap<string, UserSettings>;
  readonly #communities: readonly { readonly settings: CommunitySettings; readonly from: BlockList }[];

  /** Throws a TypeError where a source is no address. */
  constructor(users: readonly UserSettings[], communities: readonly CommunitySettings[]) {
    this.users = new Map(users.map((user) => [user.name, user]));
    this.#communities = communities.map((settings) => ({ settings, from: networks(settings.sources) }));
  }

  /** The community of this word, for somebody who asks from there. */
  community(word: string, address: string): CommunitySettings | undefined {
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    return this.#communities.find(({ settings, from }) => settings.community === word && from.check(address, family))
      ?.settings;
  }
}

function networks(sources: readonly string[]): BlockList {
  const list = new BlockList();
  for (const source of sources) {
    const [address = '', bits] = source.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
