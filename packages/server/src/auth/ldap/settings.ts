import type { Filter } from 'ldapts';
import type { DirectoryConfiguration } from '../../config/directory.ts';
import type { GroupSettings } from './groups/group-settings.ts';
import type { DirectoryPreset } from './presets.ts';

/** A directory's configuration, with what its type fills in. */
export interface DirectorySettings extends Omit<DirectoryConfiguration, 'people' | 'groups'> {
  readonly preset: DirectoryPreset;
  readonly people: Omit<DirectoryConfiguration['people'], 'filter' | 'id'> & {
    /** Which entries are people. */
    readonly filter: Filter;
    /** The attribute of the id. */
    readonly id: string;
    /** All that is asked for of an entry to make a Person of it. */
    readonly attributes: readonly string[];
  };
  /** Undefined where there are to be none. */
  readonly groups: GroupSettings | undefined;
  /** The domains whose accounts come from it, among others. */
  readonly domains: ReadonlySet<string>;
  /** PEM. */
  readonly authorityCertificates: string | undefined;
}
