/** How one attempt to reach a domain went, line by line, for people. */
export class Story {
  readonly local: string;
  readonly remote: string;
  readonly startedAt = Date.now();
  readonly lines: string[] = [];
  outcome = 'going on';

  readonly #listener: ((line: string) => void) | undefined;

  /** `listener` gets each line as it is told. */
  constructor(local: string, remote: string, listener?: (line: string) => void) {
    this.local = local;
    this.remote = remote;
    this.#listener = listener;
  }

  /** What somebody else has written may be in it: it is cut, and has no control characters. */
  readonly tell = (line: string): void => {
    if (this.lines.length >= MOST_LINES) return;
    const text = line.slice(0, MOST_CHARACTERS).replace(/\p{C}/gu, '?');
    const timed = `${((Date.now() - this.startedAt) / 1000).toFixed(3)} s  ${text}`;
    this.lines.push(timed);
    this.#listener?.(timed);
  };
}

const MOST_LINES = 200;
const MOST_CHARACTERS = 500;
const MOST_STORIES = 1000;

/** The latest story of each pair of domains; of those that nobody has asked for lately, the oldest go. */
export class Stories {
  readonly #stories = new Map<string, Story>();

  begin(local: string, remote: string, listener?: (line: string) => void): Story {
    const story = new Story(local, remote, listener);
    const key = `${local} ${remote}`;
    this.#stories.delete(key);
    this.#stories.set(key, story);
    if (this.#stories.size > MOST_STORIES) this.#stories.delete(this.#stories.keys().next().value ?? '');
    return story;
  }

  /** Those about one domain, the latest last. */
  of(remote: string): Story[] {
    return [...this.#stories.values()].filter((story) => story.remote === remote);
  }
}
