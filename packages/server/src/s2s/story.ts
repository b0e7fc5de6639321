/** How one attempt to reach a domain went, line by line, for people. */
export class Story {
  readonly local: string;
  readonly remote: string;
  readonly startedAt = Date.now();
  readonly lines: string[] = [];
  outcome = 'going on';

  constructor(local: string, remote: string) {
    this.local = local;
    this.remote = remote;
  }

  /** What somebody else has written may be in it: it is cut, and has no control characters. */
  readonly tell = (line: string): void => {
    if (this.lines.length >= MOST_LINES) return;
    const text = line.slice(0, MOST_CHARACTERS).replace(/\p{C}/gu, '?');
    this.lines.push(`${((Date.now() - this.startedAt) / 1000).toFixed(3)} s  ${text}`);
  };
}

const MOST_LINES = 200;
const MOST_CHARACTERS = 500;
const MOST_STORIES = 1000;

/** The latest story of each pair of domains; of those that nobody has asked for lately, the oldest go. */
export class Stories {
  readonly #stories = new Map<string, Story>();

  begin(local: string, remote: string): Story {
    const story = new Story(local, remote);
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
