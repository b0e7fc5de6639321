import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const mount = (...args: string[]) => spawnSync('mount', args).status === 0;

/** A disk of a few megabytes, in memory; undefined where this user may not mount one. It ends with the test. */
export class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static mount(megabytes: number): SmallDisk | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'parley-disk-'));
    const mounted = mount('-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', folder);
    onTestFinished(() => {
      if (mounted) spawnSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    });
    return mounted ? new SmallDisk(folder) : undefined;
  }

  /** Leaves no room. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.folder);
    try {
      writeFileSync(join(this.folder, 'ballast'), Buffer.alloc(bavail * bsize));
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error; // somebody else has taken some of it meanwhile
    }
  }

  empty(): void {
    unlinkSync(join(this.folder, 'ballast'));
  }

  /** Has it take no writes; nobody may have anything open for writing. */
  readOnly(): void {
    if (!mount('-o', 'remount,ro', this.folder)) throw new Error('It cannot be made read-only.');
  }
}
