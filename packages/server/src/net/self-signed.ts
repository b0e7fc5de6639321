import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { domainToASCII } from 'node:url';

interface Pair {
  certificate: string;
  key: string;
}

/** `text` is what was in the files, or went there: another process may have replaced them since. */
export interface SelfSigned extends Pair {
  text: Pair;
  made: boolean;
}

const DAY = 86_400_000;
// Apple's clients refuse any server certificate that is valid for more than 825 days.
const VALID_DAYS = 820;
const RENEW_DAYS = 30;

/**
 * The self-signed certificate of a node that was given none: PEM files in `folder`, made when they are missing, when
 * they do not name every one of `domains`, or when less than 30 days are left. `made` tells whether they are new.
 */
export async function selfSignedFiles(
  folder: string,
  domains: readonly string[],
  now = Date.now(),
): Promise<SelfSigned> {
  const files = { certificate: join(folder, 'self-signed.crt'), key: join(folder, 'self-signed.key') };
  const there = await read(files);
  if (there !== undefined && serves(there, domains, now)) return { ...files, text: there, made: false };
  const text = await selfSigned(domains, now);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await replace(files.key, text.key, 0o600);
  await replace(files.certificate, text.certificate, 0o644);
  return { ...files, text, made: true };
}

async function read(files: Pair): Promise<Pair | undefined> {
  try {
    return { certificate: await readFile(files.certificate, 'utf8'), key: await readFile(files.key, 'utf8') };
  } catch {
    return undefined; // Missing, or not ours to read: a new pair takes the place.
  }
}

function serves(pair: Pair, domains: readonly string[], now: number): boolean {
  try {
    const certificate = new X509Certificate(pair.certificate);
    return (
      certificate.checkPrivateKey(createPrivateKey(pair.key)) &&
      certificate.validFromDate.getTime() <= now &&
      certificate.validToDate.getTime() > now + RENEW_DAYS * DAY &&
      domains.every((domain) => certificate.checkHost(domainToASCII(domain)) !== undefined)
    );
  } catch {
    return false; // Cut short by a crash, or not PEM: a new pair replaces it.
  }
}

/** Nobody ever reads half a file, nor a key that others may read. */
async function replace(file: string, text: string, mode: number): Promise<void> {
  const unfinished = `${file}.${randomUUID()}`; // several nodes of one machine may begin at once
  try {
    await writeFile(unfinished, text, { mode, flag: 'wx', flush: true });
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** A certificate (ECDSA P-256) for these domains, for localhost and the loopback addresses, and its key, both PEM. */
export async function selfSigned(
  domains: readonly string[],
  now = Date.now(),
): Promise<{ certificate: string; key: string }> {
  // Needed once in the life of an installation, so not loaded with every start.
  const [asn1, pki] = await Promise.all([import('asn1js'), import('pkijs')]);
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const names = [...new Set([...domains.map((domain) => domainToASCII(domain)), 'localhost'])];
  if (names.includes('')) throw new Error(`Not a domain name: ${domains.find((domain) => !domainToASCII(domain))}`);

  const certificate = new pki.Certificate();
  certificate.version = 2; // v3
  certificate.serialNumber = new asn1.Integer({ valueHex: serialNumber().buffer });
  for (const who of [certificate.subject, certificate.issuer]) {
    const value = new asn1.Utf8String({ value: 'Parley self-signed certificate' });
    who.typesAndValues.push(new pki.AttributeTypeAndValue({ type: '2.5.4.3', value })); // common name
  }
  certificate.notBefore.value = new Date(now - DAY); // Clients' clocks may be slow.
  certificate.notAfter.value = new Date(now + VALID_DAYS * DAY);
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);

  const extension = (extnID: string, critical: boolean, value: { toSchema(): { toBER(): ArrayBuffer } }) =>
    new pki.Extension({ extnID, critical, extnValue: value.toSchema().toBER() });
  const address = (...bytes: number[]) => new asn1.OctetString({ valueHex: Uint8Array.from(bytes).buffer });
  const loopback = [address(127, 0, 0, 1), address(...new Array<number>(15).fill(0), 1)];
  certificate.extensions = [
    extension('2.5.29.19', true, new pki.BasicConstraints({ cA: false })),
    extension('2.5.29.37', false, new pki.ExtKeyUsage({ keyPurposes: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] })),
    extension(
      '2.5.29.17', // subject alternative names: DNS is type 2, an address type 7
      false,
      new pki.GeneralNames({
        names: [
          ...names.map((value) => new pki.GeneralName({ type: 2, value })),
          ...loopback.map((value) => new pki.GeneralName({ type: 7, value })),
        ],
      }),
    ),
  ];
  await certificate.sign(keys.privateKey, 'SHA-256');
  return {
    certificate: pem('CERTIFICATE', certificate.toSchema().toBER()),
    key: pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)),
  };
}

/** Sixteen random bytes, a positive number whose first byte is not zero, as DER wants it. */
function serialNumber(): Uint8Array<ArrayBuffer> {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
