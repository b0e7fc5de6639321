import { createHash } from 'node:crypto';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';

/** A photo of somebody. */
export interface Picture {
  readonly type: string;
  readonly bytes: Buffer;
  /** What clients tell pictures apart by (XEP-0153): SHA-1, in hexadecimal digits. */
  readonly hash: string;
}

const SIGNATURES: readonly (readonly [type: string, at: number, bytes: string])[] = [
  ['image/jpeg', 0, '\xff\xd8\xff'],
  ['image/png', 0, '\x89PNG\r\n\x1a\n'],
  ['image/gif', 0, 'GIF8'],
  ['image/webp', 8, 'WEBP'],
];

/** What kind of picture these bytes are, by how they begin: nobody else says it. Undefined for what is none. */
export function pictureType(bytes: Buffer): string | undefined {
  const start = bytes.toString('latin1', 0, 12);
  return SIGNATURES.find(([, at, text]) => start.startsWith(text, at))?.[0];
}

export function pictureOf(bytes: Buffer): Picture | undefined {
  const type = pictureType(bytes);
  if (type === undefined) return undefined;
  return { type, bytes, hash: createHash('sha1').update(bytes).digest('hex') };
}

export const photoElement = ({ type, bytes }: Picture): Element =>
  Element.of(
    'PHOTO',
    NS.vcard,
    {},
    Element.of('TYPE', NS.vcard, {}, type),
    Element.of('BINVAL', NS.vcard, {}, bytes.toString('base64')),
  );

/** The bytes in the `<PHOTO/>` of a vCard; undefined where it names a place elsewhere, or nothing. */
export function photoBytes(photo: Element): Buffer | undefined {
  const bytes = Buffer.from(photo.childText('BINVAL') ?? '', 'base64');
  return bytes.length === 0 ? undefined : bytes;
}
