import type { WireCommand } from './wire.ts';

/** Commands that go out together. Each reply is what Redis replied, or an Error. */
export interface Request {
  commands: readonly WireCommand[];
  /** In a MULTI. */
  atomic: boolean;
  /** Decides where it goes in a cluster: the tag of its keys. */
  lane: string;
  /** So many replicas are waited for, where that is another number than usual. */
  replicas?: number | undefined;
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

const MULTI: WireCommand = { name: 'MULTI', args: [] };
const EXEC: WireCommand = { name: 'EXEC', args: [] };

/** Puts what is to be sent for a request behind `list`. */
export function appendTo(list: WireCommand[], { commands, atomic }: Request): void {
  if (atomic) list.push(MULTI);
  for (const command of commands) list.push(command);
  if (atomic) list.push(EXEC);
}

/** The replies to one request among those to all, where they begin at `start`, and where they end. */
export function repliesTo(
  { commands, atomic }: Request,
  all: readonly unknown[],
  start: number,
): { replies: unknown[]; end: number } {
  if (!atomic) {
    const end = start + commands.length;
    return { replies: all.slice(start, end), end };
  }
  const end = start + commands.length + 2;
  const exec = all[end - 1] ?? new Error('Redis gave no answer to EXEC');
  if (!(exec instanceof Error)) return { replies: exec as unknown[], end };
  // Where a command was refused, EXEC only says that the whole was; the reason is what that command was told.
  const reason = all.slice(start, end - 1).find((reply) => reply instanceof Error) ?? exec;
  return { replies: commands.map(() => (exec.message.startsWith('EXECABORT') ? reason : exec)), end };
}

/** Takes the replies to one request off those to all, where they begin at `start`. Returns where they end. */
export function settle(request: Request, all: readonly unknown[], start: number): number {
  const { replies, end } = repliesTo(request, all, start);
  request.answer(replies);
  return end;
}
