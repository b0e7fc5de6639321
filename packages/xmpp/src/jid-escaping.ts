/**
 * XEP-0106: how names that an address cannot hold (a mail address, a directory's name) become local parts. Only whoever
 * makes addresses out of foreign names escapes; addresses are compared and relayed as they are.
 */

/**
 * Escapes a name for use as a local part. Returns undefined if it begins or ends with a space, for which XEP-0106 §3.2
 * has no escaped form.
 */
export function escapeLocalPart(name: string): string | undefined {
  if (name.startsWith(' ') || name.endsWith(' ')) return undefined;
  // A backslash only where it would otherwise read as the beginning of an escaped character.
  return name.replace(/[ "&'/:<>@]|\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)/g, (character) => {
    return `\\${character.charCodeAt(0).toString(16)}`;
  });
}

/** What a local part reads as. Sequences that escape nothing stay as they are. */
export function unescapeLocalPart(local: string): string {
  return local.replace(/\\(20|22|26|27|2f|3a|3c|3e|40|5c)/g, (sequence, code: string, offset: number) => {
    const atEnd = offset === 0 || offset + sequence.length === local.length;
    return code === '20' && atEnd ? sequence : String.fromCharCode(Number.parseInt(code, 16));
  });
}
