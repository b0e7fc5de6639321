/**
 * The version of a roster as clients know it (RFC 6121 §2.6): that of what the account keeps itself, and behind it that of
 * what groups add, where they add anything.
 */
export const versionText = (own: number, shared: string | undefined): string =>
  shared === undefined ? String(own) : `${own}-${shared}`;

/** Reads what a client has kept of it; undefined for what no server of ours has ever said. */
export function readVersion(text: string): { readonly own: number; readonly shared: string | undefined } | undefined {
  const [, own, shared] = /^(\d{1,16})(?:-([\w-]{1,32}))?$/.exec(text) ?? [];
  return own === undefined ? undefined : { own: Number(own), shared };
}
