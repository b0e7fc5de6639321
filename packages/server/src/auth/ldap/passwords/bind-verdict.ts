import type { DirectoryConfiguration } from '../../../config/directory.ts';
import type { PasswordVerdict, Refusal } from '../../authenticator.ts';
import type { PersonState } from '../person-state.ts';
import type { BindOutcome } from './bind-outcome.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const WRONG: PasswordVerdict = { accepted: false, condition: 'not-authorized' };

/** Words of a directory for its people. */
type Help = Pick<DirectoryConfiguration['passwords'], 'help'>;

const withHelp = (text: string, { help }: Help): string => (help === '' ? text : `${text} ${help}`);

/** Why somebody in this state may not log in; undefined where they may. */
export function refusalOf(state: PersonState, help: Help, now = Date.now()): Refusal | undefined {
  switch (state.kind) {
    case 'active':
      if (state.expiresAt === undefined || state.expiresAt > now) return undefined;
      return refusalOf({ kind: 'expired' }, help);
    case 'disabled':
      return { condition: 'account-disabled', text: withHelp('This account is disabled in the directory.', help) };
    case 'locked': {
      const until = state.until === undefined ? '' : ` until ${new Date(state.until).toISOString()}`;
      const text = `This account is locked in the directory${until}, perhaps since wrong passwords were tried too often.`;
      return { condition: 'account-disabled', text: withHelp(text, help) };
    }
    case 'expired':
      return {
        condition: 'credentials-expired',
        text: withHelp('This account or its password has expired in the directory.', help),
      };
    case 'must-change':
      return {
        condition: 'credentials-expired',
        text: withHelp('This password has to be changed in the directory before it is good for anything else.', help),
      };
  }
}

/** What somebody is to be told whose account or password expires soon. */
export function noticeOf(
  state: PersonState,
  { warnDays, help }: Pick<DirectoryConfiguration['passwords'], 'warnDays' | 'help'>,
  now = Date.now(),
): string | undefined {
  if (state.kind !== 'active' || state.expiresAt === undefined) return undefined;
  const left = state.expiresAt - now;
  return left < 0 || left > warnDays * DAY ? undefined : expiresIn(left, { help });
}

const expiresIn = (ms: number, help: Help) => withHelp(`Your password expires ${inWords(ms)}: change it soon.`, help);

function inWords(ms: number): string {
  if (ms >= 2 * DAY) return `in ${Math.floor(ms / DAY)} days`;
  if (ms >= 2 * HOUR) return `in ${Math.floor(ms / HOUR)} hours`;
  return 'within two hours';
}

/** The verdict on a password that was tried at the directory; `proved` where it is known to be right. */
export function verdictOf(outcome: BindOutcome, help: Help, proved = outcome.proved): PasswordVerdict {
  const { kind, policy } = outcome;
  switch (kind) {
    case 'accepted':
      return { accepted: true };
    case 'grace': {
      const left = policy?.graceLeft ?? 0;
      const often = left === 0 ? 'This was the last time that you could log in' : `You can log in ${times(left)}`;
      return { accepted: true, notice: withHelp(`Your password has expired. ${often}: change it now.`, help) };
    }
    case 'expiring':
      return { accepted: true, notice: expiresIn((policy?.expiresInSeconds ?? 0) * 1000, help) };
    case 'must-change':
    case 'expired':
    case 'locked':
    case 'disabled': {
      const refusal = proved ? refusalOf({ kind }, help) : undefined;
      return refusal === undefined ? WRONG : { accepted: false, ...refusal };
    }
    case 'wrong':
    case 'unknown':
      return WRONG;
    case 'away':
      return { accepted: false, condition: 'temporary-auth-failure' };
  }
}

const times = (count: number) => (count === 1 ? 'once more' : `${count} times more`);
