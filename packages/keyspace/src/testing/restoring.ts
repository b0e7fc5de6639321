// A process that restores a copy into a directory, to be killed meanwhile.
import { copyFileSync } from 'node:fs';
import { RestoreFolder } from '../embedded/restore.ts';

const [directory = '', copy = ''] = process.argv.slice(2);
const place = new RestoreFolder(directory);
copyFileSync(copy, place.file);
process.send?.('begun', () => {
  place.replace();
  place[Symbol.dispose]();
});
