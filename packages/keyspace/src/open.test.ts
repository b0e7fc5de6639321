import { expect, test } from 'vitest';
import { openKeyspace } from './open.ts';

test.each([
  ['embedded:', 'needs a directory'],
  ['mysql://localhost', 'none of these forms'],
  ['redis://a,b', 'several hosts'],
  ['embedded:/dev/null/x', 'The data directory /dev/null/x cannot be used'],
])('%s is refused in words', async (url, words) => {
  await expect(openKeyspace(url)).rejects.toMatchObject({ name: 'KeyspaceError', failure: 'refused' });
  await expect(openKeyspace(url)).rejects.toThrow(words);
});
