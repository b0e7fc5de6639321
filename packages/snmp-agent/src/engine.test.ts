import { expect, it } from 'vitest';
import { beginAgent } from './engine.ts';

const store = (text?: string) => ({
  text,
  load() {
    return Promise.resolve(this.text);
  },
  save(more: string) {
    this.text = more;
    return Promise.resolve();
  },
});

it('is the same engine at each start, with a number of its own', async () => {
  const kept = store();
  const first = await beginAgent(kept);
  expect(first).toMatchObject({ engineBoots: 1, tracked: undefined });
  expect(await beginAgent(kept)).toMatchObject({ engineId: first.engineId, engineBoots: 2 });
});

it.each(['', '{', '[]', '{"engineId":"zz","engineBoots":1}', '{"engineId":"80007ed9050102"}'])(
  'is a new one after %s',
  async (text) => {
    expect(await beginAgent(store(text))).toMatchObject({ engineBoots: 1 });
  },
);
