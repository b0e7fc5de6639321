import { expect, test } from 'vitest';
import { story } from './story.ts';

test('tells no more than so much, and nothing that a terminal would obey', () => {
  const lines: string[] = [];
  const tell = story((line) => lines.push(line.replace(/^\d+\.\d{3} s {2}/, '')));
  tell('it says \u001b[2J and\nmore');
  tell('x'.repeat(600));
  for (let i = 0; i < 300; i++) tell('again');
  expect([lines[0], lines[1]?.length, lines.length]).toEqual(['it says ?[2J and?more', 500, 200]);
});
