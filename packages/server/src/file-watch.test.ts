import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { FileWatch } from './file-watch.ts';

let folder: string;
let onChange: ReturnType<typeof vi.fn<() => Promise<void>>>;
let onError: ReturnType<typeof vi.fn<(error: Error) => void>>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  onChange = vi.fn(async () => {});
  onError = vi.fn();
});

test('a file that changes is told of, and not one that stays or is gone', async () => {
  const file = join(folder, 'list');
  await writeFile(file, 'one');
  let watched = [file];
  using watch = new FileWatch(() => watched, onChange, onError);
  await watch.check();
  expect(onChange).toHaveBeenCalledTimes(0);
  await writeFile(file, 'another one');
  await watch.check();
  await watch.check();
  expect(onChange).toHaveBeenCalledTimes(1);
  await rm(file);
  await watch.check();
  watched = [];
  await watch.check();
  expect(onChange).toHaveBeenCalledTimes(1);
  onChange.mockRejectedValueOnce(new Error('it is none'));
  await writeFile(file, 'the third');
  watched = [file];
  await watch.check();
  expect(onError).toHaveBeenCalledTimes(1);
});

test('a file behind links is another one when a link on the way is, as in a Secret that Kubernetes mounts', async () => {
  const version = async (name: string) => {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'tls.crt'), 'as long as the other');
    await symlink(name, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  await version('..2026_11_26_18_00_00.1');
  await symlink('..data/tls.crt', join(folder, 'tls.crt'));
  using watch = new FileWatch(() => [join(folder, 'tls.crt')], onChange, onError);
  await watch.check();
  expect(onChange).toHaveBeenCalledTimes(0);
  await version('..2026_11_26_19_00_00.2');
  await watch.check();
  expect(onChange).toHaveBeenCalledTimes(1);
});

test('it looks by itself once it was started', async () => {
  const file = join(folder, 'list');
  await writeFile(file, 'one');
  const changed = Promise.withResolvers<void>();
  onChange.mockImplementation(async () => changed.resolve());
  using watch = new FileWatch(() => [file], onChange, onError);
  await watch.check();
  await writeFile(file, 'another one');
  watch.start(1);
  await changed.promise;
});

test('a change that is dealt with for long is dealt with once', async () => {
  const file = join(folder, 'list');
  await writeFile(file, 'one');
  const dealt = Promise.withResolvers<void>();
  onChange.mockImplementation(() => dealt.promise);
  using watch = new FileWatch(() => [file], onChange, onError);
  await watch.check();
  await writeFile(file, 'another one');
  const first = watch.check();
  await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(1));
  await writeFile(file, 'the third one');
  await watch.check();
  expect(onChange).toHaveBeenCalledTimes(1);
  dealt.resolve();
  await first;
  await watch.check();
  expect(onChange).toHaveBeenCalledTimes(2);
});
