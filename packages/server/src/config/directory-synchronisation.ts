import { choice, count, seconds, section } from './option.ts';

export const SYNCHRONISATION_MODES = [
  'auto',
  'contentSynchronisation',
  'persistentSearch',
  'notification',
  'polling',
] as const;

const live = true;

/** How Parley learns what changes in the directory. */
export const directorySynchronisation = section('How changes in the directory are learnt.', {
  mode: choice(SYNCHRONISATION_MODES, 'auto', {
    live,
    description:
      '`contentSynchronisation` (RFC 4533), `persistentSearch`, `notification` (Active Directory), or `polling`. `auto` takes the first of these that the directory offers.',
  }),
  pollSeconds: seconds(30, {
    live,
    max: 86_400,
    description:
      'How often the directory is asked what has changed, where it does not tell by itself; where it tells, how soon after a doubt everything is compared.',
  }),
  compareSeconds: seconds(3600, {
    live,
    max: 604_800,
    description:
      'How often everything is compared although the directory tells of changes by itself, except with `contentSynchronisation`, which needs it never.',
  }),
  keepAliveSeconds: seconds(15, {
    live,
    max: 3600,
    description: 'How often a directory that has nothing to tell is asked whether it is there.',
  }),
  mostRemovedPercent: count(20, {
    live,
    max: 100,
    description:
      'Where more people than this share (and more than five) are missing all at once, or all of them, they are not taken for removed yet: the log tells of it.',
  }),
  heldMinutes: count(10, {
    live,
    max: 10_080,
    description: 'How long they have to be missing until that is believed.',
  }),
});
