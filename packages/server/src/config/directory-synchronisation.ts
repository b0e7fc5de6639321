import { section } from './option.ts';

/** How Parley learns what changes in the directory. */
export const directorySynchronisation = section('How changes in the directory are learnt.', {});
