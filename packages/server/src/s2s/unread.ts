import { StreamError } from '@parley/xmpp/stream-error';

/**
 * Bytes that wait to be read by somebody who asks for more: so many tell that he does not read at all. Stanzas alone, where they
 * go out on the same stream, come to a quarter of it and one more (`MOST_BUFFERED` of `EstablishedStream`).
 */
const MOST = 4_194_304;

/** Whether a question is not to be answered, since the one before it was not heard; where the next answer says as much. */
export const isUnheard = (buffered: number): boolean => buffered > MOST;

/** Throws where somebody asks, and does not read the answers: they would grow without bound. */
export function checkHeard(buffered: number): void {
  if (isUnheard(buffered)) throw new StreamError('resource-constraint', 'Nobody reads what this server answers.');
}
