// The bill of materials of what runs, in CycloneDX, on standard output: of what pnpm-lock.yaml names that which is
// installed on this platform, with checksums and licences. The same installation gives the same text.
//
//     node scripts/sbom.ts > parley.cdx.json
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Component {
  name: string;
  version: string;
  purl: string;
  'bom-ref': string;
  cpe?: string;
  hashes?: unknown;
  externalReferences?: { type: string; hashes?: unknown }[];
}

export interface Bom {
  serialNumber?: string;
  metadata: { timestamp?: string; component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

/** A package of this repository, and what it says that it needs. */
export interface Manifest {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
}

/** Without what differs from one time to the next, or tells where it was downloaded; time is `SOURCE_DATE_EPOCH`. */
export function settled(bom: Bom, manifests: readonly Manifest[], epoch = process.env.SOURCE_DATE_EPOCH): Bom {
  const { serialNumber: _, metadata, ...rest } = bom;
  const { components, dependencies } = whole(bom, manifests);
  const { timestamp: __, ...about } = metadata;
  const time = epoch === undefined ? {} : { timestamp: new Date(Number(epoch) * 1000).toISOString() };
  const own = needsOf({ ...bom, components }, manifests);
  return {
    ...rest,
    metadata: { ...time, ...about },
    components: components.map(described).sort(by((component) => component['bom-ref'])),
    dependencies: dependencies
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: (own.get(ref) ?? dependsOn).toSorted() }))
      .sort(by(({ ref }) => ref)),
  };
}

/** With the packages of this repository that no other one needs: pnpm leaves them out. */
function whole(
  { components, dependencies }: Bom,
  manifests: readonly Manifest[],
): Pick<Bom, 'components' | 'dependencies'> {
  const listed = new Set(components.map(({ purl }) => fullName(purl)));
  const missing = manifests
    .filter(({ name }) => !listed.has(name))
    .map(({ name, version }) => {
      const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
      const [group, short = name] = name.split('/');
      return { type: 'library', group, name: short, version, purl, 'bom-ref': purl };
    });
  return {
    components: [...components, ...missing],
    dependencies: [...dependencies, ...missing.map(({ purl }) => ({ ref: purl }))],
  };
}

/** What packages of this repository need, by their manifests: pnpm sometimes tells it of another one. */
function needsOf({ metadata, components }: Bom, manifests: readonly Manifest[]): Map<string, string[]> {
  const named = new Map(components.map((component) => [fullName(component.purl), component['bom-ref']]));
  const references = (names: readonly string[]) => names.flatMap((name) => named.get(name) ?? []);
  const needs = new Map<string, string[]>();
  for (const { name, dependencies = {} } of manifests) {
    for (const ref of references([name])) needs.set(ref, references(Object.keys(dependencies)));
  }
  const nodes = [...named.keys()].filter((name) => NODE.test(name));
  needs.set(metadata.component['bom-ref'], references([...manifests.map(({ name }) => name), ...nodes]));
  return needs;
}

/** The packages that Node.js comes in. */
const NODE = /^node-(?:bin-)?(?:linux|darwin)-/;

const fullName = (purl: string) => decodeURIComponent(purl.replace(/^pkg:npm\//, '').replace(/@[^@]*$/, ''));

function described({ externalReferences = [], ...component }: Component): Component {
  const download = externalReferences.find(({ type }) => type === 'distribution');
  return {
    ...component,
    ...(download?.hashes !== undefined && { hashes: download.hashes }),
    // scanners know Node.js by this name alone
    ...(NODE.test(component.name) && { cpe: `cpe:2.3:a:nodejs:node.js:${component.version}:*:*:*:*:*:*:*` }),
    externalReferences: externalReferences.filter((reference) => reference !== download),
  };
}

const by =
  <T>(key: (value: T) => string) =>
  (one: T, other: T) =>
    key(one) < key(other) ? -1 : 1;

/** As pnpm tells it, of what is installed. */
function listed(): Bom {
  const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { packageManager: string };
  const pnpm = ['exec', '--yes', '--', packageManager, 'sbom', '--prod', '--sbom-type', 'application'];
  const text = execFileSync('npm', [...pnpm, '--sbom-format', 'cyclonedx', '--sbom-spec-version', '1.6'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 100_000_000,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(text);
}

if (import.meta.main) {
  const manifests = globSync('packages/*/package.json', { cwd: root }).map(
    (path): Manifest => JSON.parse(readFileSync(`${root}${path}`, 'utf8')),
  );
  process.stdout.write(`${JSON.stringify(settled(listed(), manifests), null, 2)}\n`);
}
