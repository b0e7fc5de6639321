import { isRightToLeft, satisfiesBidiRule } from './precis/bidi-rule.ts';
import { codePointClass } from './precis/code-point-class.ts';
import { contextRules } from './precis/context-rule.ts';

/** Text that a PRECIS profile refuses. The message says why, in words that do not repeat the text. */
export class PrecisError extends Error {
  override name = 'PrecisError';
}

/**
 * Enforces the UsernameCaseMapped profile (RFC 8265 §3.3) and returns the one form under which the name is known.
 * Throws PrecisError.
 */
export function usernameCaseMapped(text: string): string {
  return isPlainName(text) ? text : untilStable(text, enforceUsername);
}

/**
 * Enforces the OpaqueString profile (RFC 8265 §4.2), for passwords and resources: case is kept, every kind of space
 * becomes U+0020. Throws PrecisError.
 */
export function opaqueString(text: string): string {
  return isPlainText(text) ? text : untilStable(text, enforceOpaque);
}

/** RFC 8264 §5.2.1: full-width and half-width forms become what they are a form of. */
export function mapWidth(text: string): string {
  return text.replace(/[\u3000\uff01-\uffee]/g, (character) => character.normalize('NFKC'));
}

/** Most names: they need no work at all. Empty text is none of them. */
function isPlainName(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x21 || code > 0x7e || (code >= 0x41 && code <= 0x5a)) return false;
  }
  return text !== '';
}

function isPlainText(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return text !== '';
}

// RFC 8264 §7: a result that a further application would change is applied again, and refused after the third time.
function untilStable(text: string, enforce: (text: string) => string): string {
  let current = text;
  for (let application = 0; application < 4; application++) {
    const next = enforce(current);
    if (next === current) return current;
    current = next;
  }
  throw new PrecisError('it has no stable form');
}

function enforceUsername(text: string): string {
  const prepared = mapWidth(text);
  requireClass(prepared, false); // RFC 8265 §3.3.1
  const enforced = prepared.toLowerCase().normalize('NFC');
  const codePoints = requireClass(enforced, false);
  if (isRightToLeft(codePoints) && !satisfiesBidiRule(codePoints)) {
    throw new PrecisError('it mixes writing directions');
  }
  return enforced;
}

function enforceOpaque(text: string): string {
  requireClass(text, true);
  const enforced = text.replace(/\p{Zs}/gu, ' ').normalize('NFC');
  requireClass(enforced, true);
  return enforced;
}

/** Refuses what is not of the IdentifierClass or, with `freeform`, of the FreeformClass (RFC 8264 §4.2, §4.3). */
function requireClass(text: string, freeform: boolean): number[] {
  if (text === '') throw new PrecisError('it is empty');
  const codePoints: number[] = [];
  for (const character of text) codePoints.push(character.codePointAt(0) ?? 0);
  const contextAllows = contextRules(codePoints);
  for (const [index, codePoint] of codePoints.entries()) {
    const kind = codePointClass(codePoint);
    if (kind === 'pvalid' || (freeform && kind === 'free-pvalid')) continue;
    if (kind === 'contextual' && contextAllows(index)) continue;
    throw new PrecisError(`it holds ${describe(codePoint)}, which may not stand there`);
  }
  return codePoints;
}

function describe(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}
