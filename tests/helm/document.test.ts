import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blocksOf } from '../documents.ts';
import { helm, render, the, YAML } from './chart.ts';
import { FULL, LEAST, TRIAL } from './chart-values.ts';
import { checkManifest } from './kubernetes-schema.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const text = read('docs/kubernetes.md');
const examples = blocksOf(text).filter((block) => block.text.startsWith('# values.yaml\n'));

interface Schema {
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema;
  readonly anyOf?: Schema[];
}

/** Whether values have such a name. */
const has = (schema: Schema, [name = '', ...rest]: readonly string[]): boolean => {
  const inside = [schema, ...(schema.anyOf ?? [])].flatMap(({ properties }) =>
    properties && Object.hasOwn(properties, name) ? [properties[name] as Schema] : [],
  );
  return inside.some((each) => rest.length === 0 || has(each.items ?? each, rest));
};

describe('docs/kubernetes.md', () => {
  it.each(examples.map((block) => [Object.keys(YAML.parse(block.text) as object).join(', '), block.text]))(
    'has values that are right: %s',
    async (_, block) => {
      const manifests = render({ ...LEAST, ...(YAML.parse(block) as object) });
      for (const manifest of manifests) await checkManifest(manifest);
    },
  );

  it('names values and options that there are', () => {
    expect(examples.length).toBeGreaterThan(5);
    const values = JSON.parse(read('helm/parley/values.schema.json')) as Schema;
    const options = JSON.parse(read('docs/configuration.schema.json')) as Schema;
    const names = [...text.matchAll(/`([a-z]\w*(?:\.[a-zA-Z]\w*)+)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !/\.(yaml|txt|json|io)$/.test(name));
    expect(names.length).toBeGreaterThan(20);
    const events = read('docs/events.md');
    const unknown = names.filter(
      (name) => !has(values, name.split('.')) && !has(options, name.split('.')) && !events.includes(`\`${name}\``),
    );
    expect(unknown).toEqual([]);
  });

  it('adds up the times as the chart does', () => {
    const { spec } = the(render(LEAST), 'Deployment');
    const rows = [...text.matchAll(/^\| (\d+) \| /gm)].map(([, seconds]) => Number(seconds));
    const pod = spec.template.spec;
    const preStop = pod.containers[0].lifecycle.preStop.sleep.seconds;
    expect(rows).toEqual([0, preStop, spec.minReadySeconds, pod.terminationGracePeriodSeconds]);
  });
});

describe('after an installation Helm', () => {
  const notes = (values: object) => {
    const where = ['--namespace', 'talk', '--dry-run=client', '--values', '-'];
    const { stdout, stderr } = helm(['install', 'chat', 'helm/parley', ...where], JSON.stringify(values));
    const [, said] = stdout.split('\nNOTES:\n');
    if (said === undefined) throw new Error(stderr);
    return said;
  };

  it('says aloud that a trial is one, and that its certificate is nobody’s', () => {
    const said = notes(TRIAL);
    expect(said).toMatch(/THIS IS FOR TRYING, NOT FOR USE[\s\S]*are gone\n? *when its pod is/);
    expect(said).toMatch(/There is no certificate/);
    expect(said).toContain('helm -n talk test chat --logs\n');
    expect(said).toContain(
      'kubectl -n talk exec -it deployment/chat-parley -- parley account add alice@chat.example.org\n',
    );
    expect(said).toContain('_xmpp-client._tcp.chat.example.org.   SRV 5 0 5222 xmpp.chat.example.org.\n');
  });

  it('says what to do for other servers and managers, where there are such', () => {
    const said = notes(FULL);
    expect(said).not.toMatch(/TRYING|no certificate|seems to come/);
    expect(said).toContain('_xmpps-server._tcp.example.net.  SRV 0 0 5270 federation.example.org.\n');
    expect(said).toContain('SNMP managers ask chat-parley-snmp, UDP port 161.');
  });

  it.each([
    [
      'everybody from the machines',
      { clients: { service: { externalTrafficPolicy: 'Cluster' } } },
      /from the machines of the/,
    ],
    ['everybody from the Gateway', { gateway: { enabled: true, parentRefs: [{ name: 'x' }] } }, /from the Gateway/],
    ['one node alone', { replicas: 1 }, /nobody takes its sessions over/],
  ])('warns of %s', (_, values, message) => {
    expect(notes({ ...LEAST, ...values })).toMatch(message);
    expect(notes(LEAST)).not.toMatch(message);
  });
});
