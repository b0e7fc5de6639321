/**
 * A name without its capitals, those of ASCII alone: what else RFC 8265 makes the same (§3.3), such as full-width letters and those
 * that only case folding makes alike, is not the same to whoever gives names elsewhere.
 */
export const withoutCapitals = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
