import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Handled } from './handled.ts';
import { incomingWorld, settled, showing } from './incoming-testing.ts';

describe('what is done with', () => {
  test('is counted without leaving out what is not', () => {
    const handled = new Handled();
    const [first, second, third] = [handled.begin(), handled.begin(), handled.begin()];
    const caughtUp = vi.fn();
    handled.whenCaughtUp(caughtUp);
    second();
    expect(handled.count).toBe(0);
    first();
    expect(handled.count).toBe(2);
    expect(caughtUp).not.toHaveBeenCalled();
    handled.begin();
    third();
    expect(handled.count).toBe(3);
    expect(caughtUp).toHaveBeenCalledOnce();
  });

  test('of nothing is told at once', () => {
    const caughtUp = vi.fn();
    new Handled().whenCaughtUp(caughtUp);
    expect(caughtUp).toHaveBeenCalledOnce();
  });
});

const message = `<message from='romeo@capulet.example' to='juliet@montague.example'><body>Hi</body></message>`;
const sm = (text: string) => text.replace('/>', ` xmlns='${NS.streamManagement}'/>`);

async function authenticated(world = incomingWorld()) {
  const peer = world.connect(await showing(['capulet.example']));
  peer.open('capulet.example');
  await settled();
  peer.send(`<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>=</auth>`);
  peer.open('capulet.example');
  await settled();
  expect(peer.taken().join('')).toContain(sm('<sm/>'));
  return { world, peer };
}

test('a server learns what was taken of what it has sent, once that is so', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }); // after a while, something is told in any case
  onTestFinished(() => void vi.useRealTimers());
  const { world, peer } = await authenticated();
  const { promise, resolve } = Promise.withResolvers<void>();
  world.process = () => promise;
  peer.send(message); // before it asked for anything: not counted
  peer.send(sm('<enable/>'));
  peer.send(message + message + sm('<r/>'));
  await settled();
  expect(peer.taken()).toEqual([sm('<enabled/>')]);
  resolve();
  await settled();
  expect(peer.taken()).toEqual([sm(`<a h='2'/>`).replace(/(<a) (h='2') (xmlns='[^']*')/, '$1 $3 $2')]);
});

test('or after a while, what is done with by then', async () => {
  const { world, peer } = await authenticated();
  peer.send(sm('<enable/>'));
  vi.useFakeTimers();
  try {
    world.process = () => new Promise(() => {});
    peer.send(message + sm('<r/>').repeat(1000));
    peer.taken();
    await vi.advanceTimersByTimeAsync(5000);
    expect(peer.taken().length).toBe(10);
  } finally {
    vi.useRealTimers();
  }
});

test.each([
  ['<resume/>', 'bad-request'],
  ['<enable/>', 'unexpected-request'],
])('%s fails', async (text, condition) => {
  const { peer } = await authenticated();
  if (text === '<enable/>') peer.send(sm('<enable/>'));
  peer.send(sm(text));
  await settled();
  expect(peer.taken().at(-1)).toContain(condition);
});

test.each(['<r/>', '<other/>'])('%s, which nobody has asked for, ends the stream', async (text) => {
  const { peer } = await authenticated();
  peer.send(sm(text));
  await settled();
  expect(peer.error).toBe('unsupported-stanza-type');
});

test('nothing is counted for whoever has not proved who it is', async () => {
  const peer = incomingWorld().connect(await showing(['capulet.example']));
  peer.open('capulet.example');
  await settled();
  expect(peer.taken().join('')).not.toContain(NS.streamManagement);
  peer.send(sm('<enable/>'));
  await settled();
  expect(peer.taken().at(-1)).toContain('unexpected-request');
});
