import { isUtf8 } from 'node:buffer';
import { DynamicLibrary, getRawPointer, toBuffer } from 'node:ffi';
import { endianness } from 'node:os';

/** RFC 2744 §3.9: the one piece of information, beside errors, that is none. */
const CONTINUE_NEEDED = 1;
const ACCEPT = 2;
const INDEFINITE = 0xffff_ffff;
const [STATUS_OF_GSS, STATUS_OF_MECHANISM] = [1, 2];
const MUTUAL = 2;
const NOTHING = 0n;
/** Numbers are in the order of this machine. */
const LITTLE = endianness() === 'LE';

/** The Kerberos V5 mechanism of RFC 1964 §1, 1.2.840.113554.1.2.2, as the contents of its DER. */
const KERBEROS = Buffer.from('2a864886f712010202', 'hex');

/** Where in the memory below the parameters stand. Each has eight bytes, a structure as many as it needs. */
const AT = {
  minor: 0,
  context: 8,
  credential: 16,
  name: 24,
  target: 32,
  flags: 40,
  mechanism: 48,
  more: 56,
  /** The minor status of calls that nobody asks about; the one above is that of the call that failed. */
  spare: 152,
  /** gss_buffer_desc: its length, and a pointer to its bytes */
  input: 64,
  output: 80,
  /** gss_OID_desc and gss_OID_set_desc */
  oid: 96,
  set: 112,
  oidBytes: 128,
  bytes: 160,
} as const;

/** RFC 4121 §4.2.6.2: what a message starts with that is wrapped by a key of AES, which the acceptor has a part in (§2). */
const RFC_4121_WRAP = Buffer.from([0x05, 0x04]);

const NOT_HERE: ReadonlySet<string> = new Set(['arm', 'ia32', 'mips', 'mipsel', 'ppc']);

/** As long as the mechanism takes them. */
const MAX_TOKEN_BYTES = 65_536;

/** What the library has against something. */
export class GssError extends Error {
  override name = 'GssError';
}

/** What an acceptor has come to know. */
export interface Accepted {
  /** For the initiator. */
  readonly token: Buffer;
  /** Undefined until both sides know each other. */
  readonly peers?: { readonly initiator: string; readonly target: string; readonly mutual: boolean };
}

/**
 * The acceptor's side of the GSS-API (RFC 2743) in a C library (RFC 2744), Kerberos V5 alone. Whatever is passed by address
 * stands in one piece of memory that V8 does not move, and the library's own is copied before it is given back. The calls
 * wait for files: not for the thread of a node.
 */
export class Gssapi {
  readonly #memory = new DataView(new ArrayBuffer(AT.bytes + MAX_TOKEN_BYTES));
  readonly #base = getRawPointer(this.#memory.buffer as ArrayBuffer);
  readonly #call;

  /** Throws where there is no such library. */
  constructor(library: string) {
    // the structures are laid out for pointers of eight bytes, and otherwise on macOS
    if (NOT_HERE.has(process.arch) || process.platform === 'darwin') throw new Error('Not for this kind of machine.');
    const pointers = (count: number) => Array<'pointer'>(count).fill('pointer');
    const status = (...parameters: ('pointer' | 'u32' | 'i32')[]) =>
      ({ return: 'u32', arguments: parameters }) as const;
    this.#call = new DynamicLibrary(library).getFunctions({
      gss_acquire_cred: status('pointer', 'pointer', 'u32', 'pointer', 'i32', ...pointers(3)),
      gss_release_cred: status(...pointers(2)),
      gss_accept_sec_context: status(...pointers(11)),
      gss_inquire_context: status(...pointers(9)),
      gss_delete_sec_context: status(...pointers(3)),
      gss_display_name: status(...pointers(4)),
      gss_release_name: status(...pointers(2)),
      gss_wrap: status('pointer', 'pointer', 'i32', 'u32', ...pointers(3)),
      gss_unwrap: status(...pointers(6)),
      gss_release_buffer: status(...pointers(2)),
      gss_display_status: status('pointer', 'u32', 'i32', ...pointers(3)),
    });
    Buffer.from(this.#memory.buffer).set(KERBEROS, AT.oidBytes);
    this.#memory.setUint32(AT.oid, KERBEROS.length, LITTLE);
    this.#put(AT.oid + 8, this.#at('oidBytes'));
    this.#put(AT.set, 1n);
    this.#put(AT.set + 8, this.#at('oid'));
  }

  /** Whatever key of this machine fits: the keytab is read anew each time. Throws a GssError where there is none. */
  acquire(): bigint {
    const { gss_acquire_cred } = this.#call;
    const [minor, mechanisms, credential] = [this.#at('minor'), this.#at('set'), this.#at('credential')];
    this.#put(AT.credential, NOTHING);
    this.#check(gss_acquire_cred(minor, NOTHING, INDEFINITE, mechanisms, ACCEPT, credential, NOTHING, NOTHING));
    return this.#get(AT.credential);
  }

  releaseCredential(credential: bigint): void {
    this.#put(AT.credential, credential);
    this.#call.gss_release_cred(this.#at('spare'), this.#at('credential'));
  }

  /**
   * A token of the initiator. `context` is nothing at first; the one that is there afterwards, error or not, is told to
   * `keep` before anything else, for whoever has to delete it.
   */
  accept(credential: bigint, context: bigint, token: Uint8Array, keep: (context: bigint) => void): Accepted {
    this.#put(AT.context, context);
    this.#put(AT.mechanism, NOTHING);
    this.#input(token);
    this.#noOutput();
    const status = this.#call.gss_accept_sec_context(
      ...([this.#at('minor'), this.#at('context'), credential, this.#at('input')] as const),
      NOTHING, // RFC 4752 §3.2: no channel bindings
      NOTHING,
      ...([this.#at('mechanism'), this.#at('output'), NOTHING, NOTHING] as const),
      NOTHING, // what the initiator delegates is not taken
    );
    const mechanism = this.#get(AT.mechanism);
    keep(this.#get(AT.context));
    const reply = this.#output();
    this.#check(status, CONTINUE_NEEDED);
    if ((status & CONTINUE_NEEDED) !== 0) return { token: reply };
    if (!this.#isKerberos(mechanism)) throw new GssError('It is not Kerberos V5.');
    return { token: reply, peers: this.#peers(this.#get(AT.context)) };
  }

  delete(context: bigint): void {
    this.#put(AT.context, context);
    this.#call.gss_delete_sec_context(this.#at('spare'), this.#at('context'), NOTHING);
  }

  /** Integrity only: nobody needs to hide what is said here. */
  wrap(context: bigint, data: Uint8Array): Buffer {
    this.#input(data);
    this.#noOutput();
    const [minor, input, output] = [this.#at('minor'), this.#at('input'), this.#at('output')];
    const status = this.#call.gss_wrap(minor, context, 0, 0, input, NOTHING, output);
    const wrapped = this.#output();
    this.#check(status);
    // those of older kinds are wrapped by the initiator's key: whoever has overheard them could say them again
    if (!wrapped.subarray(0, 2).equals(RFC_4121_WRAP)) throw new GssError('Its key is of RC4 or DES, not of AES.');
    return wrapped;
  }

  unwrap(context: bigint, data: Uint8Array): Buffer {
    this.#input(data);
    this.#noOutput();
    const [minor, input, output] = [this.#at('minor'), this.#at('input'), this.#at('output')];
    const status = this.#call.gss_unwrap(minor, context, input, output, NOTHING, NOTHING);
    const plain = this.#output();
    this.#check(status);
    return plain;
  }

  #peers(context: bigint): Accepted['peers'] {
    const [minor, name, target, flags] = [this.#at('minor'), this.#at('name'), this.#at('target'), this.#at('flags')];
    const { gss_inquire_context, gss_release_name } = this.#call;
    this.#put(AT.name, NOTHING);
    this.#put(AT.target, NOTHING);
    try {
      this.#check(gss_inquire_context(minor, context, name, target, NOTHING, NOTHING, flags, NOTHING, NOTHING));
      const mutual = (this.#memory.getUint32(AT.flags, LITTLE) & MUTUAL) !== 0;
      return { initiator: this.#nameAt(AT.name), target: this.#nameAt(AT.target), mutual };
    } finally {
      for (const each of [name, target]) gss_release_name(this.#at('spare'), each);
    }
  }

  #nameAt(offset: number): string {
    this.#noOutput();
    const name = this.#get(offset);
    const status = this.#call.gss_display_name(this.#at('minor'), name, this.#at('output'), NOTHING);
    const text = this.#output();
    this.#check(status);
    if (!isUtf8(text)) throw new GssError('The name of a principal is not UTF-8.');
    return text.toString();
  }

  #isKerberos(oid: bigint): boolean {
    if (oid === NOTHING) return false;
    const { buffer, byteOffset } = toBuffer(oid, 16);
    const description = new DataView(buffer, byteOffset);
    if (description.getUint32(0, LITTLE) !== KERBEROS.length) return false;
    return toBuffer(description.getBigUint64(8, LITTLE), KERBEROS.length).equals(KERBEROS);
  }

  /** RFC 2743 §1.2.3: a token that came before, or out of its turn, is told by information alone. */
  #check(status: number, expected = 0): void {
    if ((status & ~expected) === 0) return;
    const minor = this.#memory.getUint32(AT.minor, LITTLE);
    const texts = [
      this.#describe(status, STATUS_OF_GSS),
      ...(minor === 0 ? [] : [this.#describe(minor, STATUS_OF_MECHANISM)]),
    ];
    throw new GssError(texts.join(': ').replaceAll(/\s+/g, ' ').slice(0, 500));
  }

  /** RFC 2744 §5.11: as many messages as there are, of which a few will do. */
  #describe(status: number, type: number): string {
    const texts: string[] = [];
    this.#memory.setUint32(AT.more, 0, LITTLE);
    do {
      this.#noOutput();
      const [minor, oid, more, output] = [this.#at('spare'), this.#at('oid'), this.#at('more'), this.#at('output')];
      const failed = this.#call.gss_display_status(minor, status, type, oid, more, output) !== 0;
      texts.push(this.#output().toString());
      if (failed) break;
    } while (this.#memory.getUint32(AT.more, LITTLE) !== 0 && texts.length < 4);
    return texts.join(' ');
  }

  #at(place: keyof typeof AT): bigint {
    return this.#base + BigInt(AT[place]);
  }

  #put(offset: number, value: bigint): void {
    this.#memory.setBigUint64(offset, value, LITTLE);
  }

  #get(offset: number): bigint {
    return this.#memory.getBigUint64(offset, LITTLE);
  }

  #input(data: Uint8Array): void {
    if (data.length > MAX_TOKEN_BYTES) throw new GssError('It is too long.');
    new Uint8Array(this.#memory.buffer).set(data, AT.bytes);
    this.#put(AT.input, BigInt(data.length));
    this.#put(AT.input + 8, this.#at('bytes'));
  }

  #noOutput(): void {
    this.#put(AT.output, 0n);
    this.#put(AT.output + 8, NOTHING);
  }

  /** A copy of what the library has put out; its own is given back. */
  #output(): Buffer {
    const [length, pointer] = [Number(this.#get(AT.output)), this.#get(AT.output + 8)];
    const copy = pointer === NOTHING || length === 0 ? Buffer.alloc(0) : toBuffer(pointer, length);
    this.#call.gss_release_buffer(this.#at('spare'), this.#at('output'));
    return copy;
  }
}
