import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { type Finished, RunningParley } from '../support/process.ts';
import type { Image } from './build.ts';

/** Containers of an image that share a volume, as an engine would start them with a root that cannot be written. */
export class Containers {
  readonly #image: Image;

  constructor(image: Image) {
    this.#image = image;
  }

  /** What is mounted over the configuration of the image. */
  configure(config: object): void {
    const file = this.#image.tree.path('etc/parley/parley.yaml');
    writeFileSync(file, JSON.stringify(config));
    chmodSync(file, 0o644);
  }

  /** Runs other words than those of the image to their end. */
  async run(words: readonly string[], input = ''): Promise<Finished> {
    const child = this.#spawn(words);
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdin?.on('error', () => {}); // it may not read all
    child.stdin?.end(input);
    const [code] = await once(child, 'close');
    return { code, stdout, stderr };
  }

  /** The command in one. */
  parley(...words: string[]): Promise<Finished> {
    return this.run([...this.#image.settings.entrypoint, ...words]);
  }

  /** Starts one that goes on until the test ends. */
  async start(words = this.#image.settings.command, started = 'server.started'): Promise<RunningParley> {
    const running = new RunningParley(this.#spawn([...this.#image.settings.entrypoint, ...words]), started);
    onTestFinished(() => running.kill());
    await running.listening;
    return running;
  }

  /** Sends one the signal by which an engine stops it. */
  stop(running: RunningParley): void {
    const { pid = 0 } = running.child;
    const first = this.#image.tree.confined ? Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')) : pid;
    process.kill(first, this.#image.settings.stopSignal as NodeJS.Signals);
  }

  #spawn(words: readonly string[]) {
    const { user, folder, env, volumes } = this.#image.settings;
    return this.#image.tree.spawn(words, { user, folder, env, writable: volumes });
  }
}
