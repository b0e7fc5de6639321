import { event } from './log-event.ts';

/** Accounts, and what is kept for them. */
export const accountEvents = {
  'account.added': event('info', ['account', 'by'], 'An administrator has made an account.', '', {
    outcome: 'success',
    actor: 'by',
    subject: 'account',
  }),
  'account.disabled': event(
    'info',
    ['account', 'by'],
    'An administrator has shut an account: it is logged out and let in no more.',
    '',
    { outcome: 'success', actor: 'by', subject: 'account' },
  ),
  'account.enabled': event('info', ['account', 'by'], 'An administrator lets an account in again.', '', {
    outcome: 'success',
    actor: 'by',
    subject: 'account',
  }),
  'account.left': event('info', ['account', 'address'], 'A user has removed their account (XEP-0077).', '', {
    outcome: 'success',
    actor: 'account',
    subject: 'account',
  }),
  'account.move-failed': event(
    'error',
    ['account', 'to', 'step', 'error'],
    'A step of moving an account to another address failed; it is tried again, unless the address was taken.',
    'See the error. `parley account move` with the same addresses tells how far it is.',
    { outcome: 'failure', subject: 'account', reason: 'error' },
  ),
  'account.move-ordered': event(
    'info',
    ['account', 'to', 'by'],
    'An administrator has an account move to another address.',
    '',
    { outcome: 'success', actor: 'by', subject: 'account', reason: 'to' },
  ),
  'account.moved': event('info', ['account', 'to', 'contacts'], 'An account has its new address.', '', {
    outcome: 'success',
    subject: 'account',
    reason: 'to',
  }),
  'account.moves-unseen': event(
    'debug',
    ['error'],
    'It could not be looked whether accounts are being moved; it is looked again.',
  ),
  'account.moving': event('info', ['account', 'to'], 'An account begins to move to another address.'),
  'account.password': event(
    'info',
    ['account', 'address'],
    'A user has changed their password (XEP-0077), or had to do so to log in.',
    '',
    {
      outcome: 'success',
      actor: 'account',
      subject: 'account',
    },
  ),
  'account.upgraded': event(
    'info',
    ['account', 'hash'],
    'What an account proves its password by was made stronger when it logged in (XEP-0480).',
    '',
    { outcome: 'success', actor: 'account', subject: 'account', reason: 'hash' },
  ),
  'account.password-set': event('info', ['account', 'by'], 'An administrator has set the password of an account.', '', {
    outcome: 'success',
    actor: 'by',
    subject: 'account',
  }),
  'account.registered': event('info', ['account', 'address'], 'Somebody has made an account (XEP-0077).', '', {
    outcome: 'success',
    actor: 'account',
    subject: 'account',
    byOthers: true,
  }),
  'account.removed': event(
    'info',
    ['account', 'by'],
    'An administrator has removed an account, and everything of it.',
    '',
    { outcome: 'success', actor: 'by', subject: 'account' },
  ),
  'activity.lost': event(
    'debug',
    ['account', 'error'],
    'When a user was last there could not be kept, since the keyspace does not answer.',
  ),
  'offline.forgotten': event(
    'flood',
    ['message'],
    'This node has no room to remember all that it stored of late: if Redis loses its newest writes now, messages are lost.',
    'Look why so much is stored; have Redis lose nothing (`keyspace.replicas`).',
  ),
  'offline.undelivered': event(
    'flood',
    ['account', 'error'],
    'Stored messages could not be given to a client. They stay stored.',
    'Look at the keyspace.',
  ),
  'offline.unreadable': event(
    'error',
    ['account', 'error'],
    'A stored message cannot be read, and is passed over.',
    'Report it; look whether something else writes into the keyspace.',
  ),
  'offline.unrestored': event(
    'flood',
    ['message', 'account', 'error'],
    'Redis may have lost a stored message, and it could not be stored once more.',
    'See the error: most often the mailbox is full.',
  ),
  'vcard.photo': event(
    'debug',
    ['account', 'error', 'message'],
    'The hash of a new photo could not be shown to contacts yet.',
  ),
} as const;
