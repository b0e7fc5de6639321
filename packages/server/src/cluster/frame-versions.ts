/** The versions of frames that a member reads and writes, from the oldest one to the newest one. */
export interface FrameVersions {
  readonly oldest: number;
  readonly newest: number;
}

/** Those of this program. Whatever is written anew in version N + 1 is still read, and written, in version N. */
export const FRAME_VERSIONS: FrameVersions = { oldest: 1, newest: 1 };

/** Members that did not tell are of a time when there was only one. */
export const FIRST_VERSIONS: FrameVersions = { oldest: 1, newest: 1 };

/** The newest version that all of them read; undefined where there is none. */
export function commonVersion(all: Iterable<FrameVersions>): number | undefined {
  let [oldest, newest] = [0, Number.POSITIVE_INFINITY];
  for (const versions of all) {
    oldest = Math.max(oldest, versions.oldest);
    newest = Math.min(newest, versions.newest);
  }
  return oldest <= newest ? newest : undefined;
}

export const includesVersion = ({ oldest, newest }: FrameVersions, version: number): boolean =>
  oldest <= version && version <= newest;

/** `1`, or `1 to 2`. */
export const versionsText = ({ oldest, newest }: FrameVersions): string =>
  oldest === newest ? String(oldest) : `${oldest} to ${newest}`;
