/** Certificates of clients, for tests. */
import * as asn1 from 'asn1js';
import * as pki from 'pkijs';

const XMPP_ADDRESS = '1.3.6.1.5.5.7.8.5';

const tagged = (tagNumber: number, value: asn1.AsnType[]) =>
  new asn1.Constructed({ idBlock: { tagClass: 3, tagNumber }, value });

/** A name of a kind that has an object identifier (RFC 5280 §4.2.1.6). */
export const otherName = (oid: string, value: asn1.AsnType) =>
  tagged(0, [new asn1.ObjectIdentifier({ value: oid }), tagged(0, [value])]);

/** An address as certificates name it, whether it is one or not. */
export const xmppAddress = (value: asn1.AsnType | string) =>
  otherName(XMPP_ADDRESS, typeof value === 'string' ? new asn1.Utf8String({ value }) : value);

/** A name that is mere text: 1 is a mail address, 2 a domain. */
export const plainName = (tagNumber: number, text: string) =>
  new asn1.Primitive({ idBlock: { tagClass: 3, tagNumber }, valueHex: new TextEncoder().encode(text).buffer });

const pem = (label: string, der: ArrayBuffer) =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;

/** A certificate with these alternative names, signed by itself; its subject claims to be the queen. */
export async function clientCertificate(...names: asn1.AsnType[]): Promise<{ der: Buffer; cert: string; key: string }> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const made = new pki.Certificate();
  made.version = 2; // v3
  made.serialNumber = new asn1.Integer({ value: 1 });
  const value = new asn1.Utf8String({ value: 'queen@england.lit' });
  for (const who of [made.subject, made.issuer]) {
    who.typesAndValues.push(new pki.AttributeTypeAndValue({ type: '2.5.4.3', value }));
  }
  made.notBefore.value = new Date(0);
  made.notAfter.value = new Date(2e12);
  await made.subjectPublicKeyInfo.importKey(keys.publicKey);
  const extnValue = new asn1.Sequence({ value: names }).toBER();
  made.extensions = names.length === 0 ? [] : [new pki.Extension({ extnID: '2.5.29.17', extnValue })];
  await made.sign(keys.privateKey, 'SHA-256');
  const der = made.toSchema().toBER();
  const key = pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { der: Buffer.from(der), cert: pem('CERTIFICATE', der), key };
}

const named = (value: string) => {
  const name = new pki.RelativeDistinguishedNames();
  name.typesAndValues.push(new pki.AttributeTypeAndValue({ type: '2.5.4.3', value: new asn1.Utf8String({ value }) }));
  return name;
};

const newKeys = () => crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);

type Keys = Awaited<ReturnType<typeof newKeys>>;

const authorityExtension = () =>
  new pki.Extension({
    extnID: '2.5.29.19',
    critical: true,
    extnValue: new pki.BasicConstraints({ cA: true }).toSchema().toBER(),
  });

/** The purposes of a certificate, by their object identifiers. */
export const purposes = (...keyPurposes: string[]) =>
  new pki.Extension({ extnID: '2.5.29.37', extnValue: new pki.ExtKeyUsage({ keyPurposes }).toSchema().toBER() });

type NamedTree = [kind: number, value: string | asn1.AsnType];

const subtrees = (names: readonly NamedTree[]) =>
  names.map(([type, value]) => new pki.GeneralSubtree({ base: new pki.GeneralName({ type: type as 4, value }) }));

/** What an authority may vouch for (RFC 5280 §4.2.1.10): 2 is a domain. */
export const nameConstraints = (permitted: readonly NamedTree[], excluded: typeof permitted = []) =>
  new pki.Extension({
    extnID: '2.5.29.30',
    critical: true,
    extnValue: new pki.NameConstraints({
      ...(permitted.length > 0 && { permittedSubtrees: subtrees(permitted) }),
      ...(excluded.length > 0 && { excludedSubtrees: subtrees(excluded) }),
    })
      .toSchema()
      .toBER(),
  });

/** Somebody who vouches for users, and takes it back. */
export class CertificateAuthority {
  readonly #keys: Keys;
  readonly #name: string;
  #serial = 1;
  /** What it signs with. */
  hash = 'SHA-256';
  /** Until when what it signs is good, in milliseconds since 1970. */
  until = 2e12;
  /** PEM: its own, and those of the authorities between it and the root. */
  cert = '';
  chain = '';

  private constructor(keys: Keys, name: string) {
    this.#keys = keys;
    this.#name = name;
  }

  /** A root. */
  static async make(name = 'An authority', ...extensions: pki.Extension[]): Promise<CertificateAuthority> {
    const authority = new CertificateAuthority(await newKeys(), name);
    authority.cert = (
      await authority.#sign(name, authority.#keys.publicKey, [authorityExtension(), ...extensions])
    ).pem;
    return authority;
  }

  /** An authority that this one vouches for. */
  async below(name: string, ...extensions: pki.Extension[]): Promise<CertificateAuthority> {
    const authority = new CertificateAuthority(await newKeys(), name);
    const { pem: cert } = await this.#sign(name, authority.#keys.publicKey, [authorityExtension(), ...extensions]);
    authority.cert = cert;
    authority.chain = `${cert}${this.chain}`;
    return authority;
  }

  /** A certificate with these alternative names, followed by those of the authorities between it and the root. */
  async issue(...names: asn1.AsnType[]): Promise<{ cert: string; key: string; serial: number }> {
    return await this.issueWith([], ...names);
  }

  async issueWith(
    extensions: readonly pki.Extension[],
    ...names: asn1.AsnType[]
  ): Promise<{ cert: string; key: string; serial: number }> {
    const keys = await newKeys();
    const extnValue = new asn1.Sequence({ value: names }).toBER();
    const alternative = new pki.Extension({ extnID: '2.5.29.17', extnValue });
    const made = await this.#sign('Somebody', keys.publicKey, [alternative, ...extensions]);
    const key = pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey));
    return { cert: `${made.pem}${this.chain}`, key, serial: made.serial };
  }

  /** The list of what is revoked (PEM), which is good until this time. */
  async revoked(serials: readonly number[], until = Date.now() + 3_600_000): Promise<string> {
    const list = new pki.CertificateRevocationList();
    list.version = 1; // v2
    list.issuer = named(this.#name);
    list.thisUpdate = new pki.Time({ value: new Date(until - 86_400_000) });
    list.nextUpdate = new pki.Time({ value: new Date(until) });
    if (serials.length > 0) {
      list.revokedCertificates = serials.map(
        (value) =>
          new pki.RevokedCertificate({
            userCertificate: new asn1.Integer({ value }),
            revocationDate: new pki.Time({ value: new Date(until - 86_400_000) }),
          }),
      );
    }
    await list.sign(this.#keys.privateKey, 'SHA-256');
    return pem('X509 CRL', list.toSchema(true).toBER());
  }

  async #sign(subject: string, publicKey: CryptoKey, extensions: pki.Extension[]) {
    const made = new pki.Certificate();
    made.version = 2; // v3
    const serial = this.#serial++;
    made.serialNumber = new asn1.Integer({ value: serial });
    made.issuer = named(this.#name);
    made.subject = named(subject);
    made.notBefore.value = new Date(0);
    made.notAfter.value = new Date(this.until);
    await made.subjectPublicKeyInfo.importKey(publicKey);
    made.extensions = extensions;
    await made.sign(this.#keys.privateKey, this.hash);
    return { pem: pem('CERTIFICATE', made.toSchema().toBER()), serial };
  }
}
