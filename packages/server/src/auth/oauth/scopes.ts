import type { AccountScope } from '../../stream/stream-access.ts';

/** XEP-0493 §5: to be a client, and to have to do with what is kept of the account alone. */
const CLIENT = 'xmpp:client:normal';
const ACCOUNT: readonly (readonly [scope: string, what: AccountScope])[] = [
  ['xmpp:account:read', 'read'],
  ['xmpp:account:write', 'write'],
];

/** What the scopes of a token allow, where these are wanted: `only` where they are no client's, but an account's. */
export function allowedBy(
  scopes: ReadonlySet<string>,
  wanted: readonly string[],
): { readonly isEnough: boolean; readonly only: readonly AccountScope[] | undefined } {
  const missing = wanted.filter((scope) => !scopes.has(scope));
  if (missing.length === 0) return { isEnough: true, only: undefined };
  const only = ACCOUNT.flatMap(([scope, what]) => (scopes.has(scope) ? [what] : []));
  return { isEnough: only.length > 0 && missing.every((scope) => scope === CLIENT), only };
}
