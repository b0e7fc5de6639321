import { existsSync, realpathSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';

/**
 * The file that an `<include/>` means (XEP-0227 §5): a relative one, in the folder of the export or below. What a file from
 * elsewhere names may be no other file of this machine.
 */
export function includedFile(href: string, from: string, folder: string): string | { problem: string } {
  const path = pathOf(href);
  if (path === undefined) return { problem: `The file ${JSON.stringify(href)} is not named by a relative path.` };
  const file = resolve(dirname(from), path);
  if (!existsSync(file)) return { problem: `The included file ${JSON.stringify(path)} is missing.` };
  const real = realpathSync(file);
  if (real.startsWith(folder + sep)) return real;
  return { problem: `The included file ${JSON.stringify(path)} is outside of the folder of the export.` };
}

/** A relative reference without query and fragment, percent-decoded. */
function pathOf(href: string): string | undefined {
  if (href === '' || /^[a-z][a-z\d+.-]*:|^\/|[?#\0]/i.test(href)) return undefined;
  try {
    const path = decodeURIComponent(href);
    return path.includes('\0') || path.startsWith('/') ? undefined : path;
  } catch {
    return undefined;
  }
}
