import { section } from './option.ts';

/** What people are shown of each other. */
export const directoryVcard = section('vCards made of what the directory says about people.', {});

/** Who may look for people. */
export const directorySearch = section('Looking for people (XEP-0055).', {});
