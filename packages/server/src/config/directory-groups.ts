import { section } from './option.ts';

/** Which groups of the directory Parley knows. */
export const directoryGroups = section('Groups of the directory.', {});
