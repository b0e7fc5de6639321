import { domainToASCII, domainToUnicode } from 'node:url';
import { isRightToLeft, satisfiesBidiRule } from './precis/bidi-rule.ts';
import { codePointClass } from './precis/code-point-class.ts';
import { contextRules } from './precis/context-rule.ts';
import { mapWidth } from './precis.ts';

/** A domain that is none. The message says why, in words that do not repeat the domain. */
export class DomainError extends Error {
  override name = 'DomainError';
}

const maxLabelBytes = 63; // RFC 1035 §2.3.4, counted in A-labels
const maxDomainBytes = 253;

/**
 * Returns the one form under which a domain is known: lower-case letters, digits, hyphens and U-labels (IDNA2008, NFC),
 * an IPv4 address, or an IPv6 address in brackets as RFC 5952 writes it. One final dot is dropped. Throws DomainError.
 */
export function domainName(text: string): string {
  if (text.startsWith('[')) return bracketedAddress(text);
  const undotted = text.endsWith('.') ? text.slice(0, -1) : text; // RFC 7622 §3.2
  // RFC 5895 §2: case, width, NFC, and the ideographic full stop
  const mapped = isPlainDomain(undotted)
    ? undotted
    : mapWidth(undotted).replaceAll('\u3002', '.').toLowerCase().normalize('NFC');

  const labels = mapped.split('.');
  let bytes = labels.length - 1;
  const known = labels.map((label) => {
    const [unicode, ascii] = knownLabel(label);
    bytes += ascii.length;
    return unicode;
  });
  if (bytes > maxDomainBytes) throw new DomainError(`it is longer than ${maxDomainBytes} bytes`);
  requireDirections(known);
  return known.join('.');
}

function isPlainDomain(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (!isPlainDomainCode(text.charCodeAt(index)) && text[index] !== '.') return false;
  }
  return true;
}

/** A lower-case letter, a digit or a hyphen. */
function isPlainDomainCode(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d;
}

/** The label as it is kept and as DNS has it. */
function knownLabel(label: string): [unicode: string, ascii: string] {
  if (label === '') throw new DomainError('it has an empty label');
  if (label.length > maxLabelBytes) throw new DomainError(`it has a label longer than ${maxLabelBytes} bytes`);
  if (label.startsWith('xn--')) return [decodedLabel(label), label];
  requireHyphens(label);
  if (isPlainDomain(label)) return [label, label];
  requireUnicodeLabel(label);
  const ascii = domainToASCII(label);
  if (!ascii.startsWith('xn--') || domainToUnicode(ascii) !== label) throw new DomainError('it has no DNS form');
  if (ascii.length > maxLabelBytes) throw new DomainError(`it has a label longer than ${maxLabelBytes} bytes`);
  return [label, ascii];
}

/** RFC 5891 §5.3: an A-label is one only if its U-label leads back to it. */
function decodedLabel(label: string): string {
  // Only letters, digits and hyphens reach the decoder: it would drop, map or percent-decode other characters.
  const unicode = isPlainDomain(label) ? domainToUnicode(label) : label;
  if (isPlainDomain(unicode)) throw new DomainError('it has a label that begins like an encoded one and is none');
  requireHyphens(unicode);
  requireUnicodeLabel(unicode);
  if (domainToASCII(unicode) !== label) throw new DomainError('it has a label that is wrongly encoded');
  return unicode;
}

/** RFC 5891 §4.2.3.1 */
function requireHyphens(label: string): void {
  if (label.startsWith('-') || label.endsWith('-')) throw new DomainError('it has a label with a hyphen at its end');
  if (label.startsWith('--', 2)) throw new DomainError('it has a label with two hyphens in third place');
}

/** The code points and their contexts that RFC 5892 §3 allows, and no mark in front (RFC 5891 §4.2.3.2). */
function requireUnicodeLabel(label: string): void {
  if (label !== label.normalize('NFC')) throw new DomainError('it has a label that is not normalised');
  if (/^\p{M}/u.test(label)) throw new DomainError('it has a label that begins with a combining mark');
  const codePoints = codePointsOf(label);
  const contextAllows = contextRules(codePoints);
  for (const [index, codePoint] of codePoints.entries()) {
    if (!(isDomainCodePoint(codePoint) || (codePointClass(codePoint) === 'contextual' && contextAllows(index)))) {
      throw new DomainError(`it holds U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`);
    }
  }
}

// RFC 5892 §2.2 with its exceptions (§2.6) and §2.4
const foldedAway = /[\p{Changes_When_NFKC_Casefolded}--[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]]/v;
const ignorableBlock = /[\u20d0-\u20ff\u{1d100}-\u{1d1ff}\u{1d200}-\u{1d24f}]/u;

/** PVALID of RFC 5892: what PRECIS takes from it, with fewer ASCII characters and without what folding changes. */
function isDomainCodePoint(codePoint: number): boolean {
  if (codePoint < 0x80) return isPlainDomainCode(codePoint);
  if (codePointClass(codePoint) !== 'pvalid') return false;
  const character = String.fromCodePoint(codePoint);
  return !foldedAway.test(character) && !ignorableBlock.test(character);
}

/** RFC 5893 §2: where one label is written from right to left, every label keeps the rule. */
function requireDirections(labels: readonly string[]): void {
  if (labels.every(isPlainDomain)) return;
  const texts = labels.map(codePointsOf);
  if (texts.some(isRightToLeft) && !texts.every(satisfiesBidiRule)) {
    throw new DomainError('it mixes writing directions');
  }
}

function codePointsOf(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

function bracketedAddress(text: string): string {
  if (!/^\[[0-9A-Fa-f:.]+\]$/.test(text) || !URL.canParse(`http://${text}`)) {
    throw new DomainError('it is no IPv6 address in brackets');
  }
  return new URL(`http://${text}`).hostname;
}
