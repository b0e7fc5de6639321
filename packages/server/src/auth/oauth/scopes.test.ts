import { expect, test } from 'vitest';
import { allowedBy } from './scopes.ts';

const [CLIENT, READ, WRITE] = ['xmpp:client:normal', 'xmpp:account:read', 'xmpp:account:write'] as const;

test.each<[string, string[], string[], ReturnType<typeof allowedBy>['only'] | 'nothing']>([
  ['all that is wanted', [CLIENT, 'openid'], [CLIENT], undefined],
  ['all that is wanted, and less beside it', [CLIENT, READ], [CLIENT], undefined],
  ['whatever it has, where nothing is wanted', [READ], [], undefined],
  ['reading alone', [READ], [CLIENT], ['read']],
  ['writing alone', [WRITE], [CLIENT], ['write']],
  ['both', [WRITE, READ], [CLIENT], ['read', 'write']],
  ['neither', ['openid'], [CLIENT], 'nothing'],
  ['an account, where something else is wanted', [READ], ['chat'], 'nothing'],
  ['an account, where something else is wanted, too', [READ], [CLIENT, 'chat'], 'nothing'],
  ['an account and what else is wanted', [READ, 'chat'], [CLIENT, 'chat'], ['read']],
])('a token with the scopes for %s', (_, scopes, wanted, expected) => {
  const { isEnough, only } = allowedBy(new Set(scopes), wanted);
  expect(isEnough).toBe(expected !== 'nothing');
  if (isEnough) expect(only).toEqual(expected);
});
