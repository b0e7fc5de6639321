import { beforeEach, describe, expect, it } from 'vitest';
import { Hearing } from './hearing.ts';

let echo: number;
let told: number;
let hearing: Hearing;

beforeEach(() => {
  echo = Number.NEGATIVE_INFINITY;
  told = 0;
  hearing = new Hearing({ lastEcho: () => echo, onDeaf: () => void told++ });
});

/** Beats that the keyspace takes; each comes back, or none. */
function beat(count: number, comesBack = false): void {
  for (let beats = 0; beats < count; beats++) {
    hearing.look();
    hearing.spoke();
    if (comesBack) echo = beats + 1;
  }
}

describe('a node', () => {
  it('that hears itself is not deaf', () => {
    beat(20, true);
    expect([hearing.deaf, told]).toEqual([false, 0]);
  });

  it('that does not is deaf from the fourth beat on, until it hears itself again', () => {
    beat(2, true);
    beat(4);
    expect([hearing.deaf, told]).toEqual([false, 0]);
    hearing.look();
    expect([hearing.deaf, told]).toEqual([true, 1]);
    echo = 99;
    expect(hearing.deaf).toBe(false);
    beat(2, true);
    expect([hearing.deaf, told]).toEqual([false, 1]);
  });

  it('that never heard itself is deaf too, and tries again and again', () => {
    beat(13);
    expect([hearing.deaf, told]).toEqual([true, 3]);
  });

  it('is not deaf where nobody takes what it says', () => {
    for (let beats = 0; beats < 20; beats++) hearing.look();
    expect([hearing.deaf, told]).toEqual([false, 0]);
  });

  it('begins to count anew with each link', () => {
    for (let links = 0; links < 5; links++) {
      beat(3);
      hearing.linkDown();
    }
    expect([hearing.deaf, told]).toEqual([false, 0]);
  });
});
