/** Whether a person may log in, as the attributes of the entry tell it. Times are milliseconds since 1970. */
export type PersonState =
  | { readonly kind: 'active' /** When that ends, as far as it is known. */; readonly expiresAt?: number }
  | { readonly kind: 'disabled' | 'locked' | 'expired' | 'must-change'; readonly until?: number };
