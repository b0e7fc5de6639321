import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { findHelm } from '../../scripts/helm.ts';
import { run } from '../support/process.ts';
import { type Manifest, objectsIn, render } from './chart.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const plural = (kind: string) => `${kind.toLowerCase()}s`;

/** By path: which kinds there are, as an API of Kubernetes tells. */
function discovery(manifests: readonly Manifest[]): Record<string, object> {
  const told: Record<string, object> = {
    '/version': { major: '1', minor: '36', gitVersion: 'v1.36.0' },
    '/api': { kind: 'APIVersions', versions: ['v1'] },
  };
  const groups = [];
  for (const [groupVersion, some] of Map.groupBy(manifests, ({ apiVersion }) => apiVersion)) {
    const resources = [...new Set(some.map(({ kind }) => kind))].map((kind) => ({
      name: plural(kind),
      singularName: kind.toLowerCase(),
      namespaced: true,
      kind,
      verbs: ['get'],
    }));
    const [name = '', version] = groupVersion.split('/');
    told[version === undefined ? `/api/${name}` : `/apis/${groupVersion}`] = {
      kind: 'APIResourceList',
      groupVersion,
      resources,
    };
    if (version !== undefined)
      groups.push({ name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } });
  }
  told['/apis'] = { kind: 'APIGroupList', apiVersion: 'v1', groups };
  return told;
}

const MISSING = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 };

/** The objects that the chart makes where a cluster has this Deployment of it already, as an upgrade finds it. */
export async function renderUpgrade(values: object, deployment: Manifest): Promise<Manifest[]> {
  const namespace = 'talk';
  const known = {
    ...discovery(render(values)),
    [`/apis/apps/v1/namespaces/${namespace}/deployments/${deployment.metadata.name}`]: deployment,
  };
  const server = createServer(({ url = '' }, response) => {
    const found = known[url.replace(/\?.*/, '')];
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? MISSING));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const home = mkdtempSync(join(tmpdir(), 'parley-helm-')); // it keeps there what it has learnt of the API
  onTestFinished(() => rmSync(home, { recursive: true }));
  // --is-upgrade: that there are objects of these names is no conflict
  const flags = ['--dry-run=server', '--is-upgrade', '--disable-openapi-validation', '--kube-apiserver', api];
  const words = ['template', 'chat', 'helm/parley', '--namespace', namespace, ...flags, '--values', '-'];
  const { code, stdout, stderr } = await run(findHelm() as string, words, {
    cwd: root,
    input: JSON.stringify(values),
    env: { HOME: home, KUBECONFIG: join(home, 'none') },
  });
  if (code !== 0) throw new Error(stderr);
  return objectsIn(stdout);
}
