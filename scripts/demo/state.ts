import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { layOut } from './files.ts';
import { programOf } from './needs.ts';
import type { Ports } from './ports.ts';

const script = fileURLToPath(new URL('../../deploy/demo/make-secrets.sh', import.meta.url));

/** Says what the folder is, for whoever finds it, and that it may be written to. */
const MARK = 'README.txt';

/** Makes the folder of the demonstration ready; what it holds from a former start stays. */
export function prepare(folder: string, ports: Ports): void {
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, MARK))) {
    throw new Error(`${folder} holds something else: name another folder with --folder.`);
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(
    join(folder, MARK),
    'Made by npm run demo. Remove it when that does not run, and nothing is left of it.\n',
  );
  layOut(folder, ports);
  // On machines with AppArmor the installed one may read nothing but the folders of the machine's own directory.
  copyFileSync(programOf('slapd'), join(folder, 'openldap/slapd'));
  const { status, stderr } = spawnSync('/bin/sh', [script, join(folder, 'secrets')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The passwords and certificates cannot be made:\n${stderr}`);
}
