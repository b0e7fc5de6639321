import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Log } from '../../../log.ts';
import type { Groups } from '../../groups.ts';
import type { Directory } from '../directory.ts';
import { idAttribute } from '../entry-id.ts';
import type { FollowedDirectory } from '../following/followed-directory.ts';
import { SyncState } from '../following/sync-state.ts';
import { type GroupSettings, groupAttributes } from './group-settings.ts';
import { GroupsCopy } from './groups-copy.ts';
import { MemberPeople } from './member-people.ts';

export interface DirectoryGroupsOptions {
  readonly directory: Directory;
  readonly settings: GroupSettings;
  readonly followed: FollowedDirectory;
  readonly groups: Groups;
  readonly keyspace: Keyspace;
  readonly log: Log;
}

const WHAT = 'groups';

/** Has the node that follows a directory follow its groups, too, and take them over. */
export function followGroups({ directory, settings, followed, groups, keyspace, log }: DirectoryGroupsOptions): void {
  const id = idAttribute(directory.settings);
  const people = new MemberPeople({ directory, settings, keyspace });
  let copy: GroupsCopy | undefined;
  let isComplete = false;
  let arePeopleComplete = false;
  const complete = () => {
    if (isComplete && arePeopleComplete) copy?.completed();
  };
  followed.watchPeople({
    applied: (changes) => (copy === undefined ? void people.take(changes) : copy.takePeople(changes)),
    completed() {
      arePeopleComplete = true;
      complete();
    },
  });
  followed.add({
    what: WHAT,
    meaning: '', // all of it is read by whoever begins to follow
    base: settings.base,
    scope: settings.scope,
    filter: settings.filter,
    attributes: [...new Set([id.attribute, ...groupAttributes(settings)])],
    id,
    async load(epoch, onTrouble) {
      isComplete = false;
      arePeopleComplete = false;
      copy = undefined;
      // what the groups' entries say is in memory alone: the directory is to tell all of it
      const state = await SyncState.load(keyspace, directory.name, WHAT, epoch);
      await state.saveCookie(undefined, '');
      await people.load();
      if (await followed.people.complete()) arePeopleComplete = true;
      copy = new GroupsCopy({ directory, settings, id, people, groups, log, onTrouble });
      return copy;
    },
    onComplete() {
      isComplete = true;
      complete();
    },
  });
}

/** Takes away the groups of directories that are not configured any more. */
export async function forgetGroups(groups: Groups, sources: ReadonlySet<string>): Promise<void> {
  for (const { id, source } of [...groups.all]) if (!sources.has(source)) await groups.remove(id);
}
