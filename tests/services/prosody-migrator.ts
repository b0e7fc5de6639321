import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeProgram } from './program-file.ts';
import { giveAway, programOf, spawnUnprivileged } from './unprivileged.ts';

/** What Prosody keeps that XEP-0227 has a place for, as far as its module for that has one. */
const STORES = ['accounts', 'roster', 'vcard', 'private', 'pep-pubsub'];

/**
 * Runs `prosody-migrator` on the data of a Prosody that has ended: its accounts as files of XEP-0227. They lie beside its data
 * where the program would take /var/lib/prosody. Resolves with their folder.
 */
export async function exportOfProsody(folder: string, domain: string): Promise<string> {
  const [data, program] = [join(folder, 'data'), join(folder, 'migrator')];
  const original = readFileSync(programOf('prosody', 'prosody-migrator'), 'utf8');
  writeProgram(program, original.replace("CFG_DATADIR='/var/lib/prosody'", `CFG_DATADIR='${data}'`));
  const stores = STORES.map((store) => `"${store}"`).join('; ');
  writeFileSync(
    join(folder, 'migrator.cfg.lua'),
    `input { hosts = { ["${domain}"] = { ${stores} } }; type = "internal"; path = "${data}" }\noutput { type = "xep0227" }\n`,
  );
  giveAway(folder);
  const child = spawnUnprivileged(program, ['--config', join(folder, 'migrator.cfg.lua')], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const output of [child.stdout, child.stderr]) {
    output?.on('data', (chunk) => {
      said += chunk;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`prosody-migrator ends with ${code}:\n${said}`);
  return data;
}
