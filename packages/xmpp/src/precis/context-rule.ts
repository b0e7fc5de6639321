import { isVirama, joiningType } from './unicode-property.ts';

/**
 * Returns the judge of one text: whether the contextual code point at an index may stand there (RFC 5892 Appendix A).
 * A code point without a rule may not stand anywhere. What depends on the whole text is looked up once, so that judging
 * every place stays linear.
 */
export function contextRules(text: readonly number[]): (index: number) => boolean {
  let mixesDigits: boolean | undefined;
  let hasJapanese: boolean | undefined;
  return (index) => {
    const codePoint = text[index] ?? -1;
    const before = text[index - 1] ?? -1;
    const after = text[index + 1] ?? -1;
    if (isArabicIndicDigit(codePoint) || isExtendedArabicIndicDigit(codePoint)) {
      // A.8, A.9
      mixesDigits ??= text.some(isArabicIndicDigit) && text.some(isExtendedArabicIndicDigit);
      return !mixesDigits;
    }
    switch (codePoint) {
      case 0x200c: // A.1 ZERO WIDTH NON-JOINER
        return isVirama(before) || joinsAcross(text, index);
      case 0x200d: // A.2 ZERO WIDTH JOINER
        return isVirama(before);
      case 0x00b7: // A.3 MIDDLE DOT
        return before === 0x6c && after === 0x6c;
      case 0x0375: // A.4 GREEK LOWER NUMERAL SIGN
        return hasScript(after, /\p{Script=Greek}/u);
      case 0x05f3: // A.5 HEBREW PUNCTUATION GERESH
      case 0x05f4: // A.6 HEBREW PUNCTUATION GERSHAYIM
        return hasScript(before, /\p{Script=Hebrew}/u);
      case 0x30fb: // A.7 KATAKANA MIDDLE DOT
        hasJapanese ??= text.some((other) =>
          hasScript(other, /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u),
        );
        return hasJapanese;
      default:
        return false;
    }
  };
}

function isArabicIndicDigit(codePoint: number): boolean {
  return codePoint >= 0x660 && codePoint <= 0x669;
}

function isExtendedArabicIndicDigit(codePoint: number): boolean {
  return codePoint >= 0x6f0 && codePoint <= 0x6f9;
}

function hasScript(codePoint: number, script: RegExp): boolean {
  return codePoint >= 0 && script.test(String.fromCodePoint(codePoint));
}

function joinsAcross(text: readonly number[], index: number): boolean {
  let left = index - 1;
  while (left >= 0 && joiningType(text[left] ?? -1) === 'T') left--;
  let right = index + 1;
  while (right < text.length && joiningType(text[right] ?? -1) === 'T') right++;
  const leftType = joiningType(text[left] ?? -1);
  const rightType = joiningType(text[right] ?? -1);
  return (leftType === 'L' || leftType === 'D') && (rightType === 'R' || rightType === 'D');
}
