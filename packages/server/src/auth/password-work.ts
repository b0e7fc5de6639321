import { FewAtATime } from '../few-at-a-time.ts';
import { AccountsBusy } from './authenticator.ts';

/** Threads of the pool (four by default) that passwords may use: files and names need one, too. */
const CONCURRENT = 3;
/** About a second of work; whoever comes later had better come again. */
const MOST_WAITING = 256;

/** Derives keys from passwords, a few at a time: the thread pool is everybody's. Throws AccountsBusy where too much waits. */
export class PasswordWork extends FewAtATime {
  constructor({ concurrent = CONCURRENT, mostWaiting = MOST_WAITING } = {}) {
    super({ most: () => concurrent, mostWaiting, full: () => new AccountsBusy() });
  }
}
