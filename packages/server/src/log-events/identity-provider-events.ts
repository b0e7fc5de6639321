import { event } from './log-event.ts';

/** Identity providers, whose tokens people log in by (OAUTHBEARER). */
export const identityProviderEvents = {
  'oauth.account-made': event(
    'info',
    ['account', 'provider'],
    'Somebody has come for the first time by a token of an identity provider, and has an account now.',
    '',
    { outcome: 'success', actor: 'provider', subject: 'account', byOthers: true },
  ),
  'oauth.provider.away': event(
    'warn',
    ['provider', 'message'],
    'An identity provider does not work. Nobody can log in by a token of it that has to be asked for; who is logged in stays. Told once.',
    'See the message.',
  ),
  'oauth.provider.back': event('info', ['provider', 'awaySeconds'], 'An identity provider works again.'),
  'oauth.token-refused': event(
    'flood',
    ['provider', 'account', 'reason'],
    'A token of an identity provider lets nobody in. The account is what the client claimed.',
    'Where it should, the reason says which option does not fit what the provider gives.',
    { outcome: 'failure', actor: 'account', reason: 'reason' },
  ),
} as const;
