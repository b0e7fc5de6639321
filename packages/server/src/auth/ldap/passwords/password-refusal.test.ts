import { expect, test } from 'vitest';
import { DirectoryRefused } from '../directory-error.ts';
import { passwordRefusal } from './password-refusal.ts';

test.each([
  [
    new DirectoryRefused(19, 'Password fails quality checking policy', 5),
    /^The password is not good enough .*\(Password fails/,
  ],
  [new DirectoryRefused(19, '', 8), /^You have had this password before.*one\.$/],
  [new DirectoryRefused(19, 'Not on a Friday'), /^The directory does not take this password: Not on a Friday$/],
  [
    new DirectoryRefused(19, `No:\0\ud800${'x'.repeat(999)}`),
    /^The directory does not take this password: No: x{196}$/,
  ],
  [new DirectoryRefused(53, '', 99), /^The directory does not take this password\.$/],
  [new DirectoryRefused(19, '0000052D: AtrErr: DSID-03191083, #1:\n\t0: 0000052D: DSID'), /^The password is too short/],
  [new DirectoryRefused(53, '0000001F: SvcErr: DSID-031A126C'), /^The directory does not take this password\.$/],
])('%s', (error, words) => {
  expect(passwordRefusal(error)).toMatch(words);
});
