import { type ChainableCommander, Command, type Pipeline } from 'ioredis';
import type { WireCommand } from './wire.ts';

/** Commands that go out together. Each reply is what Redis replied, or an Error. */
export interface Request {
  commands: readonly WireCommand[];
  /** In a MULTI. */
  atomic: boolean;
  /** Decides where it goes in a cluster: the tag of its keys. */
  lane: string;
  answer(replies: unknown[]): void;
}

/** About what it takes up while it waits. */
export function bytesOf({ commands }: Request): number {
  let bytes = 0;
  for (const { args } of commands) {
    bytes += 100;
    for (const arg of args) bytes += arg.length + 16;
  }
  return bytes;
}

/** What the client's type leaves out: a pipeline takes commands as objects, and a MULTI. */
export type CommandPipeline = ChainableCommander & Pick<Pipeline, 'sendCommand'> & { multi(): unknown };

export function appendTo(pipeline: CommandPipeline, { commands, atomic }: Request): void {
  if (atomic) pipeline.multi();
  for (const { name, args } of commands) pipeline.sendCommand(new Command(name, args));
  if (atomic) void pipeline.exec(); // Inside of a MULTI this is the command EXEC.
}

type Result = [error: Error | null, reply?: unknown];

const outcomeOf = ([error, reply]: Result): unknown => error ?? reply;

/** Takes the results of one request off the results of the pipeline, which begin at `start`. Returns where they end. */
export function settle(request: Request, results: Result[], start: number): number {
  const { commands, atomic } = request;
  if (!atomic) {
    const end = start + commands.length;
    request.answer(results.slice(start, end).map(outcomeOf));
    return end;
  }
  const exec = start + commands.length + 1;
  const [error, replies] = results[exec] ?? [new Error('Redis gave no answer to EXEC')];
  if (!error) {
    request.answer(replies as unknown[]);
  } else {
    // Where a command was refused, EXEC only says that the whole was; the reason is what that command was told.
    const reason = results.slice(start, exec).find(([refused]) => refused)?.[0] ?? error;
    request.answer(commands.map(() => (error.message.startsWith('EXECABORT') ? reason : error)));
  }
  return exec + 1;
}
