import { BlockList, isIP, isIPv6 } from 'node:net';
import { unmapped } from './networks.ts';

/** Networks that are not of the public internet (RFC 6890 and what was added to its registries), or lead on to others. */
const SPECIAL = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];
/** All that is public in IPv6 is in here (RFC 3513 §2.4). */
const GLOBAL_UNICAST = '2000::/3';
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const special = new BlockList();
for (const network of SPECIAL) special.addSubnet(...parts(network), 'ipv4');
const global = new BlockList();
global.addSubnet(...parts(GLOBAL_UNICAST), 'ipv6');
const specialSix = new BlockList();
for (const network of SPECIAL_IPV6) specialSix.addSubnet(...parts(network), 'ipv6');

function parts(network: string): [base: string, prefix: number] {
  const [base = '', prefix] = network.split('/');
  return [base, Number(prefix)];
}

/** Whether an address is one of the public internet: none of this machine, of a private network or of no network at all. */
export function isPublicAddress(address: string): boolean {
  const plain = unmapped(address);
  if (isIP(plain) === 0) return false;
  if (!isIPv6(plain)) return !special.check(plain, 'ipv4');
  return global.check(plain, 'ipv6') && !specialSix.check(plain, 'ipv6');
}
