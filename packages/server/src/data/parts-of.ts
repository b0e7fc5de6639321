import type { AccountPart } from '../account-part.ts';

/** What modules keep of accounts, whether they are switched on or not: what was kept before is there. */
export const partsOf = (modules: readonly { readonly parts?: readonly AccountPart[] }[]): AccountPart[] =>
  modules.flatMap(({ parts }) => parts ?? []);
