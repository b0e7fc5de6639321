import { expect, test } from 'vitest';
import { countTests } from './count-tests.ts';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});
const count = (exitedWell: boolean, ...testResults: ReturnType<typeof file>[]) =>
  countTests(JSON.stringify({ testResults }), exitedWell);

test('tests are counted over all files', () => {
  expect(count(true, file('passed', 'passed', 'passed'), file('passed', 'passed'))).toEqual({ passed: 3, failed: 0 });
  expect(count(false, file('failed', 'passed', 'failed'), file('passed', 'passed'))).toEqual({ passed: 2, failed: 1 });
});

test('a file that did not load is a failure', () => {
  expect(count(false, file('failed'), file('passed', 'passed'))).toEqual({ passed: 1, failed: 1 });
});

test('a hook that threw after passing tests is a failure', () => {
  expect(count(false, file('failed', 'passed'))).toEqual({ passed: 1, failed: 1 });
});

test('an error outside of every test is a failure', () => {
  expect(count(false, file('passed', 'passed'))).toEqual({ passed: 1, failed: 1 });
});

test('a test that was left out has not passed', () => {
  expect(count(true, file('passed', 'passed', 'skipped', 'todo'))).toEqual({ passed: 1, failed: 2 });
});
