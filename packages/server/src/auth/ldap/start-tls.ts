import type { Socket } from 'node:net';
import { BerReader, ExtendedRequest, ExtendedResponse } from 'ldapts';
import { DirectoryAway, DirectoryRefused } from './directory.ts';

const START_TLS = '1.3.6.1.4.1.1466.20037'; // RFC 4511 §4.14
/** Enough for whatever a server has to say to it. */
const MOST_BYTES = 16_384;

/**
 * Asks a server whether it goes over to TLS. The handshake has to follow; whatever was sent behind the answer came
 * unencrypted from anybody, so the connection is not used then.
 */
export function requestStartTls(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const settle = (error?: Error) => {
      socket.off('data', onData).off('close', onClose);
      socket.pause();
      signal.removeEventListener('abort', onAbort);
      if (error === undefined) return resolve();
      socket.destroy();
      reject(error);
    };
    const onClose = () => settle(new DirectoryAway('The server closed the connection instead of encrypting it.'));
    const onAbort = () => settle(new DirectoryAway('The server did not answer StartTLS in time.'));
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      try {
        const answer = readAnswer(received);
        if (answer !== undefined) settle(answer.status === 0 ? undefined : refused(answer));
        else if (received.length > MOST_BYTES) settle(new DirectoryAway('The server answers with what is no LDAP.'));
      } catch (error) {
        settle(new DirectoryAway('The server answers with what is no LDAP.', { cause: error }));
      }
    };
    socket.on('data', onData).on('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) return onAbort();
    socket.write(new ExtendedRequest({ messageId: 1, oid: START_TLS }).write());
  });
}

const refused = ({ status, errorMessage }: ExtendedResponse) =>
  new DirectoryRefused(status, errorMessage || 'The server offers no StartTLS.');

/** Undefined until the whole answer is there. */
function readAnswer(received: Buffer): ExtendedResponse | undefined {
  const reader = new BerReader(received);
  if (reader.readSequence(0x30) === null || reader.remain < reader.length) return undefined;
  if (reader.remain > reader.length) throw new Error('Something stands behind the answer.');
  const messageId = reader.readInt() ?? 0;
  const answer = new ExtendedResponse({ messageId });
  reader.readSequence(answer.protocolOperation);
  answer.parse(reader, []);
  return answer;
}
