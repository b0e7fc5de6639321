import { Command, type Redis, ReplyError } from 'ioredis';
import { RespWriter } from './resp-writer.ts';
import type { WireCommand } from './wire.ts';

const writer = new RespWriter();

/**
 * Many commands that the client takes for one: they are written as they are, and cost no object and no promise each. It
 * stands at the head of the client's queue until all of them have been answered, as a subscription to several channels
 * does, so that whatever else the client sends or gives up keeps its place.
 */
class Burst extends Command {
  readonly #client: Redis;
  readonly #bytes: Buffer;
  readonly #count: number;
  readonly #replies: unknown[] = [];
  readonly #done: (replies: unknown[]) => void;

  constructor(client: Redis, bytes: Buffer, count: number, done: (replies: unknown[]) => void) {
    super('burst');
    this.#client = client;
    this.#bytes = bytes;
    this.#count = count;
    this.#done = done;
    this.isTraced = true; // it is none of the commands that the client can tell of
    const item = { command: this, stream: undefined, select: client.condition?.select ?? 0 } as never;
    this.resolve = (reply) => {
      if (this.#replies.push(reply) < this.#count) this.#client.commandQueue.unshift(item);
      else this.#done(this.#replies);
    };
    this.reject = (error) => {
      if (error instanceof ReplyError) return this.resolve(error);
      while (this.#replies.length < this.#count) this.#replies.push(error); // the connection is lost, or was not there
      this.#done(this.#replies);
    };
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

/** Sends commands together. Resolves to what Redis replied to each, or an Error; never rejects. */
export function sendBurst(client: Redis, commands: readonly WireCommand[]): Promise<unknown[]> {
  for (const command of commands) writer.command(command);
  return new Promise((done) => {
    void client.sendCommand(new Burst(client, writer.written, commands.length, done));
    // most often the socket takes all of it at once
    writer.begin(client.stream?.writableLength > 0);
  });
}
