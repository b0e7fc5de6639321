import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { findHelm } from '../../scripts/helm.ts';

/** What Helm makes of the chart, one object of Kubernetes. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> } & Record<string, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into each kind by hand, and the schemas of Kubernetes check all
  readonly [field: string]: any;
}

// the server's own
export const YAML = createRequire(new URL('../../packages/server/package.json', import.meta.url))('yaml') as {
  parse(text: string): unknown;
  parseAllDocuments(text: string): { toJS(): unknown }[];
  stringify(value: unknown): string;
};

const root = fileURLToPath(new URL('../..', import.meta.url));

export function helm(args: readonly string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  const program = findHelm();
  if (program === undefined) throw new Error('Helm is not there: node scripts/test-services.ts fetches it.');
  // nothing of the machine: neither its repositories nor its plugins nor its cluster
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', KUBECONFIG: '/nonexistent' };
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, env, input, encoding: 'utf8' });
  return { status, stdout, stderr };
}

export interface Where {
  readonly release?: string;
  readonly namespace?: string;
}

const made = new Map<string, ReturnType<typeof helm>>();

/** What `helm template` says for these values. */
export function template(values: object, { release = 'chat', namespace = 'talk' }: Where = {}) {
  const key = JSON.stringify([values, release, namespace]);
  const before = made.get(key);
  if (before !== undefined) return before;
  const where = ['--namespace', namespace, '--values', '-'];
  const answer = helm(['template', release, 'helm/parley', ...where], JSON.stringify(values));
  made.set(key, answer);
  return answer;
}

/** The objects that the chart makes of these values. Throws what Helm says where it makes none. */
export function render(values: object, where: Where = {}): Manifest[] {
  const { status, stdout, stderr } = template(values, where);
  if (status !== 0) throw new Error(stderr);
  return objectsIn(stdout);
}

export const objectsIn = (text: string): Manifest[] =>
  YAML.parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((each) => each !== null);

/** The one object of a kind, with this name behind that of the release. */
export function the(manifests: readonly Manifest[], kind: string, name = ''): Manifest {
  const full = `chat-parley${name}`;
  const found = manifests.filter((each) => each.kind === kind && each.metadata.name === full);
  if (found.length !== 1) throw new Error(`There are ${found.length} of ${kind} ${full}.`);
  return found[0] as Manifest;
}

/** Its parley.yaml. */
export const configurationOf = (manifests: readonly Manifest[], name = ''): string =>
  the(manifests, 'ConfigMap', name).data['parley.yaml'];
