import { section } from './option.ts';

/** How the passwords of people in the directory are checked and changed. */
export const directoryPasswords = section('Passwords of people in the directory.', {});
