import { BlockList, isIPv6 } from 'node:net';

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** The networks (`address/prefix`) and single addresses that an option names, which a reload may change. */
export class Networks {
  readonly #option: () => readonly string[];
  #list = new BlockList();
  #source: readonly string[] = [];

  constructor(option: () => readonly string[]) {
    this.#option = option;
  }

  has(address: string): boolean {
    const source = this.#option();
    if (source !== this.#source) this.#read(source);
    if (source.length === 0) return false;
    const plain = unmapped(address);
    return this.#list.check(plain, familyOf(plain));
  }

  #read(source: readonly string[]): void {
    this.#source = source;
    this.#list = new BlockList();
    for (const entry of source) {
      const [base = '', prefix] = entry.split('/');
      if (prefix === undefined) this.#list.addAddress(base, familyOf(base));
      else this.#list.addSubnet(base, Number(prefix), familyOf(base));
    }
  }
}

/** An IPv4 address as such, where it comes as an IPv6 address. */
export function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
