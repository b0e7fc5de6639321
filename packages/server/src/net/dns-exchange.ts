import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';

/** A datagram may get lost: it is sent again after this time. */
const AGAIN_MS = 1000;
const DEFAULT_PORT = 53;
const HEADER_BYTES = 12;

/** What is in the third byte of a message. */
const RESPONSE = 0x80;
const TRUNCATED = 0x02;

/**
 * Asks a DNS server (`127.0.0.1:53`, `[::1]:53`, `::1`) one question, and gives its answer to it as it came. Throws an error with
 * a code as Node's resolver has them: `ETIMEOUT` when `signal` aborts.
 */
export async function askDns(server: string, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  const place = placeOf(server);
  const answer = await exchange(signal, (settle) => byDatagram(place, query, settle));
  if ((answer.readUInt8(2) & TRUNCATED) === 0) return answer;
  return await exchange(signal, (settle) => byStream(place, query, settle));
}

interface Place {
  readonly host: string;
  readonly port: number;
}

function placeOf(server: string): Place {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::([0-9]+))?$/.exec(server) ?? [];
  return { host: bracketed ?? plain ?? server, port: port === undefined ? DEFAULT_PORT : Number(port) };
}

type Settle = (outcome: Buffer | Error) => void;

/** Starts something that answers or fails, and ends it whatever comes of it. */
async function exchange(signal: AbortSignal, start: (settle: Settle) => () => void): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const late = () => reject(Object.assign(new Error('No answer in time'), { code: 'ETIMEOUT' }));
  const stop = start((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
  signal.addEventListener('abort', late);
  if (signal.aborted) late();
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', late);
    stop();
  }
}

/** The socket is connected, so that the kernel drops what others send. */
function byDatagram({ host, port }: Place, query: Buffer, settle: Settle): () => void {
  const socket: UdpSocket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const send = () => socket.send(query);
  let again: NodeJS.Timeout | undefined;
  socket.once('connect', () => {
    send();
    again = setInterval(send, AGAIN_MS);
  });
  socket.on('error', settle);
  socket.on('message', (message) => {
    if (answers(query, message)) settle(message);
  });
  socket.connect(port, host);
  return () => {
    clearInterval(again);
    socket.close();
  };
}

/** RFC 1035 §4.2.2: two bytes with the length in front. */
function byStream({ host, port }: Place, query: Buffer, settle: Settle): () => void {
  const socket: Socket = connect({ host, port });
  const chunks: Buffer[] = [];
  let received = 0;
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  socket.write(Buffer.concat([length, query]));
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    received += chunk.length;
    if (received < 2) return;
    const all = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    const expected = 2 + all.readUInt16BE(0);
    if (received < expected) return;
    const message = all.subarray(2, expected);
    settle(answers(query, message) ? message : new Error('The DNS server has answered something else'));
  });
  socket.on('error', settle);
  socket.on('close', () => settle(new Error('The DNS server has hung up')));
  return () => socket.destroy();
}

/** Whether a message answers this query: its number, and its question in any case of letters. */
function answers(query: Buffer, message: Buffer): boolean {
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  if ((message.readUInt8(2) & RESPONSE) === 0 || message.readUInt16BE(4) !== 1) return false;
  const end = questionEnd(query);
  return text(message.subarray(HEADER_BYTES, end)) === text(query.subarray(HEADER_BYTES, end));
}

const text = (bytes: Buffer): string => bytes.toString('latin1').toLowerCase();

/** Behind the name, its type and its class. The query is ours. */
function questionEnd(query: Buffer): number {
  let at = HEADER_BYTES;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) at += 1 + length;
  return at + 5;
}
