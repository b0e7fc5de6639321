/** One thing that was looked at; `failed` has words that say the cure, `note` is good to know. */
export interface Finding {
  readonly result: 'ok' | 'failed' | 'note';
  readonly words: string;
}

export const ok = (words: string): Finding => ({ result: 'ok', words });
export const note = (words: string): Finding => ({ result: 'note', words });
export const failed = (words: string): Finding => ({ result: 'failed', words });

/** `1 group`, `2 groups`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
