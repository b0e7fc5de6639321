import { count, seconds, section } from './option.ts';

const live = true;
const DAY = 86_400;

/** What is remembered of the clients of an account (XEP-0494). */
export const clients = section('What is remembered of the clients of an account, for its owner to see and to end.', {
  most: count(50, {
    live,
    max: 1000,
    description:
      'Clients of one account that are remembered, and that may have tokens (`modules.fast`); one more takes the place of the one that was away longest.',
  }),
  keepSeconds: seconds(30 * DAY, {
    live,
    min: 60,
    max: 3660 * DAY,
    description:
      'How long a client is remembered that does not come back: what it is called, when it was there, how it logged in. One that has tokens is remembered for as long as they are good.',
  }),
});
