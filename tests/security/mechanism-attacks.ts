import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What is tried against every mechanism. */
export const ATTACKS = ['tampered', 'replayed', 'expired', 'revoked', 'downgraded', 'wrong binding'] as const;
export type Attack = (typeof ATTACKS)[number];

/**
 * How an attack is seen to fail: a trial, the test of another file that tries it, or why there is no such attack on this
 * mechanism.
 */
export type Trial = (() => Promise<void>) | Elsewhere | NoSuchAttack;
export type Row = Readonly<Record<Attack, Trial>>;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export class Elsewhere {
  readonly file: string;
  readonly test: string;

  constructor(file: string, test: string) {
    this.file = file;
    this.test = test;
  }

  /** Whether there is such a test. */
  get exists(): boolean {
    return readFileSync(`${ROOT}/${this.file}`, 'utf8').includes(`'${this.test}'`);
  }
}

export class NoSuchAttack {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

const tickets = (test: string) => new Elsewhere('tests/kerberos/logins.test.ts', test);
const bearers = (test: string) => new Elsewhere('packages/server/src/auth/oauth/bearer-logins.test.ts', test);

/** The mechanisms that need a service of somebody else, whose tests have it. */
export const WITH_SERVICES: readonly (readonly [mechanism: string, row: Row])[] = [
  [
    'GSSAPI',
    {
      tampered: tickets('by a ticket that was changed on the way'),
      replayed: tickets('by what somebody else has said, on the same machine or on another one'),
      expired: tickets('by a ticket that has expired'),
      revoked: tickets(
        'that is disabled is told so to its owner, and one that is not there is told as a wrong ticket is',
      ),
      downgraded: tickets('by the mechanism in clear text, where it is not offered'),
      'wrong binding': new NoSuchAttack('It binds to no connection: GS2-KRB5-PLUS would, and is not offered.'),
    },
  ],
  [
    'OAUTHBEARER',
    {
      tampered: bearers(
        'one that was tampered with, or is not signed, or by somebody else, or by what everybody knows',
      ),
      replayed: new NoSuchAttack('Whoever has a bearer token may show it as long as it is good (RFC 6750 §1.2).'),
      expired: bearers('has expired'),
      revoked: bearers('one that was revoked lets nobody in, once what was said before is not believed any more'),
      downgraded: bearers('nothing is taken in clear text'),
      'wrong binding': new NoSuchAttack('It binds to no connection: RFC 7628 has no form that does.'),
    },
  ],
];
