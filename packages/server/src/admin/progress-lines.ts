/** What an operation tells as it goes on, one JSON value a line. */
export async function* progressLines<T>(first: IteratorResult<T>, rest: AsyncIterator<T>): AsyncGenerator<string> {
  for (let step = first; !step.done; step = await rest.next())
    yield `${JSON.stringify(step.value).replace(ENDS, escaped)}\n`;
}

/** What JSON lets stand and readers of lines take for the end of one. */
const ENDS = /[\u0085\u2028\u2029]/g;
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
