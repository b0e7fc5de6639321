/**
 * How RFC 8264 §8 classes a code point:
 * `pvalid` may stand in any string, `free-pvalid` in the FreeformClass only, `contextual` (CONTEXTJ and CONTEXTO) only
 * where its rule allows it, `disallowed` and `unassigned` nowhere.
 */
export type CodePointClass = 'pvalid' | 'free-pvalid' | 'contextual' | 'disallowed' | 'unassigned';

const classes: readonly CodePointClass[] = ['pvalid', 'free-pvalid', 'contextual', 'disallowed', 'unassigned'];

// RFC 8264 §9.6
const exceptionsValid = /[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]/;
const exceptionsContextual = /[\u00b7\u0375\u05f3\u05f4\u30fb\u0660-\u0669\u06f0-\u06f9]/;
const exceptionsDisallowed = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/;

const unassigned = /[\p{Cn}--\p{Noncharacter_Code_Point}]/v; // §9.10
const oldHangulJamo = /[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]/; // §9.9
const ignorable = /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u; // §9.13
const letterDigit = /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u; // §9.1
const otherValid = /[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]/u; // §9.14, §9.15, §9.16, §9.18

/** The order of the questions is the order of RFC 8264 §8. */
function derive(codePoint: number): CodePointClass {
  const character = String.fromCodePoint(codePoint);
  if (exceptionsValid.test(character)) return 'pvalid';
  if (exceptionsContextual.test(character)) return 'contextual';
  if (exceptionsDisallowed.test(character)) return 'disallowed';
  if (unassigned.test(character)) return 'unassigned';
  if (codePoint >= 0x21 && codePoint <= 0x7e) return 'pvalid'; // §9.11
  if (codePoint === 0x200c || codePoint === 0x200d) return 'contextual'; // §9.8
  if (oldHangulJamo.test(character)) return 'disallowed';
  if (ignorable.test(character)) return 'disallowed';
  if (/\p{Cc}/u.test(character)) return 'disallowed'; // §9.12
  if (character.normalize('NFKC') !== character) return 'free-pvalid'; // §9.17
  if (letterDigit.test(character)) return 'pvalid';
  if (otherValid.test(character)) return 'free-pvalid';
  return 'disallowed';
}

// One byte for each code point, filled as they are met: pages that are never touched cost no memory.
const known = new Uint8Array(0x110000);

export function codePointClass(codePoint: number): CodePointClass {
  const index = known[codePoint] ?? 0;
  if (index !== 0) return classes[index - 1] ?? 'disallowed';
  const derived = derive(codePoint);
  known[codePoint] = classes.indexOf(derived) + 1;
  return derived;
}
