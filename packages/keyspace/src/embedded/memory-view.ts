import type { Value } from '../command.ts';
import type { OperationView } from '../operation.ts';
import type { Memory } from './memory.ts';
import { MemoryCommands } from './memory-commands.ts';

/** The state as the body of an operation sees it. */
export class MemoryView extends MemoryCommands implements OperationView {
  readonly #memory: Memory;
  readonly #publish: (node: string, frame: Buffer) => void;

  constructor(memory: Memory, publish: (node: string, frame: Buffer) => void) {
    super(memory);
    this.#memory = memory;
    this.#publish = publish;
  }

  now(): number {
    return this.#memory.now();
  }

  publish(node: string, frame: Value): void {
    this.#publish(node, Buffer.from(frame));
  }
}
