import { expect, test } from 'vitest';
import { findProgram, missingMessage, provide, testNeeds } from './test-services.ts';

const nowhere = { name: 'Nothing', variable: 'TEST_NOTHING', found: () => false, container: false, packages: ['none'] };

test('what the environment gives is not looked for', async ({ onTestFinished }) => {
  process.env.TEST_NOTHING = 'nothing://';
  onTestFinished(() => void delete process.env.TEST_NOTHING);
  await expect(provide([nowhere])).resolves.toBeUndefined();
});

test('what is installed is enough', async () => {
  await expect(provide([{ ...nowhere, found: () => true }])).resolves.toBeUndefined();
});

test('one message names everything that is missing and every way to get it', () => {
  const message = missingMessage(testNeeds, 'only root may install them');
  expect(message).toContain('only root may install them');
  expect(message).toContain(
    'Redis: set TEST_REDIS_URL, or start a container engine, or install it (Debian: apt-get install redis-server)',
  );
  expect(message).toContain('Python with slixmpp: set TEST_PYTHON, or install it');
  expect(message).toContain('openssl: install it');
});

test('a program is found by the first of its names', () => {
  expect(findProgram('no-such-program-here', 'sh')).toMatch(/\/sh$/);
  expect(findProgram('no-such-program-here')).toBeUndefined();
});
