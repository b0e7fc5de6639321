import type { Log } from '../../../log.ts';
import { Profiles } from '../../profiles.ts';
import type { Directories } from '../directories.ts';
import { DirectoryProfiles } from './directory-profiles.ts';

/** What the directories say of people; of those who were changed there it is asked for anew. */
export function profilesOf({ all, groups }: Directories, log: Log): Profiles {
  const sources = new Map(
    [...all.values()].map(({ directory, followed }) => [
      followed.people,
      new DirectoryProfiles({ directory, groups, log }),
    ]),
  );
  const profiles = new Profiles([...sources.values()]);
  for (const [people, source] of sources) {
    people.onChange(({ account, before }) => {
      source.forget(account);
      if (before !== undefined) source.forget(before);
    });
    people.onTouched((account) => {
      source.forget(account);
      profiles.tell(account);
    });
  }
  return profiles;
}
