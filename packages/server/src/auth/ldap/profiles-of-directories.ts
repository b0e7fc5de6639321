import type { Log } from '../../log.ts';
import { Profiles } from '../profiles.ts';
import type { Directories } from './directories.ts';
import { DirectoryProfiles } from './directory-profiles.ts';

/** What the directories say of people; of those who were changed there it is asked for anew. */
export function profilesOf({ all, groups }: Directories, log: Log): Profiles {
  const sources = [...all.values()].map(({ directory, followed: { people } }) => {
    const source = new DirectoryProfiles({ directory, groups, log });
    people.onChange(({ account, before }) => {
      source.forget(account);
      if (before !== undefined) source.forget(before);
    });
    return source;
  });
  return new Profiles(sources);
}
