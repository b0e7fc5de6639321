import { readFileSync, writeFileSync } from 'node:fs';

const file = (name: string) => new URL(`corpus/${name}.json`, import.meta.url);

/** Inputs that were kept because they reached something new: bytes, written as text of one character each. */
export function readCorpus(name: string): Buffer[] {
  const texts = JSON.parse(readFileSync(file(name), 'utf8')) as string[];
  return texts.map((text) => Buffer.from(text, 'latin1'));
}

export function writeCorpus(name: string, inputs: readonly Buffer[]): void {
  const texts = [...new Set(inputs.map((input) => input.toString('latin1')))];
  texts.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  writeFileSync(file(name), `${JSON.stringify(texts, undefined, 2)}\n`);
}
