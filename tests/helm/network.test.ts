import { describe, expect, it } from 'vitest';
import { configurationOf, type Manifest, render, the, YAML } from './chart.ts';
import { FULL, LEAST, MATRIX, SNMP, TRIAL } from './chart-values.ts';

const full = render(FULL);
const least = render(LEAST);

const monitoring = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } };
const withLabels = (component: string) => ({
  podSelector: {
    matchLabels: {
      'app.kubernetes.io/name': 'parley',
      'app.kubernetes.io/instance': 'chat',
      'app.kubernetes.io/component': component,
    },
  },
});

interface Rule {
  readonly ports?: { readonly port: number; readonly protocol: string }[];
  readonly from?: object[];
  readonly to?: object[];
}

/** The rule that lets in to a port. */
function ruleOf(policy: Manifest, port: number): Rule | undefined {
  return (policy.spec.ingress as Rule[]).find((rule) => rule.ports?.some((each) => each.port === port));
}

const egressPorts = (policy: Manifest) =>
  (policy.spec.egress as Rule[]).flatMap(({ ports = [] }) => ports.map(({ port, protocol }) => `${port}/${protocol}`));

describe('Services', () => {
  it('for clients tell nodes who connects', () => {
    const { spec } = the(least, 'Service', '-clients');
    expect(spec).toMatchObject({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
    expect(spec.selector).toEqual(the(least, 'Deployment').spec.selector.matchLabels);
    expect(spec.ports).toEqual([
      { name: 'xmpp-client', port: 5222, targetPort: 'xmpp-client', appProtocol: 'xmpp-client' },
      { name: 'xmpps-client', port: 5223, targetPort: 'xmpps-client', appProtocol: 'xmpps-client' },
    ]);
    expect(the(full, 'Service', '-clients')).toMatchObject({
      metadata: { annotations: { 'example.org/proxy-protocol': 'v2' } },
      spec: {
        loadBalancerClass: 'example.org/l4',
        loadBalancerSourceRanges: ['192.0.2.0/24'],
        ipFamilyPolicy: 'PreferDualStack',
      },
    });
  });

  it('for servers and components are there where there are such', () => {
    const names = (manifests: readonly Manifest[]) =>
      manifests.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
    expect(names(least).sort()).toEqual(['chat-parley-clients', 'chat-parley-http']);
    expect(the(full, 'Service', '-federation').spec.ports.map(({ port }: { port: number }) => port)).toEqual([
      5269, 5270,
    ]);
    expect(the(full, 'Service', '-components').spec).toMatchObject({ type: 'ClusterIP', ports: [{ port: 5347 }] });
  });

  it.each(MATRIX)('show health, metrics, components and administration to nobody outside: %s', (_, values) => {
    for (const { kind, metadata, spec } of render(values)) {
      if (kind !== 'Service' || spec.type === 'ClusterIP') continue;
      expect(metadata.name).toMatch(/-(clients|federation|snmp)$/);
      if (metadata.name.endsWith('-snmp')) expect(spec.loadBalancerSourceRanges).not.toHaveLength(0);
      for (const { port } of spec.ports) expect([5280, 5347, 9116, 15_222]).not.toContain(port);
    }
  });

  it('name ports that containers have', () => {
    for (const manifests of [full, render(TRIAL), render(SNMP)]) {
      const ports = new Map<string, Set<string>>();
      for (const { kind, metadata, spec } of manifests) {
        if (kind !== 'Deployment') continue;
        const named = spec.template.spec.containers.flatMap((each: { ports?: object[] }) => each.ports ?? []);
        const component = metadata.labels['app.kubernetes.io/component'] ?? '';
        ports.set(component, new Set(named.map(({ name }: { name: string }) => name)));
      }
      for (const { kind, spec } of manifests) {
        if (kind !== 'Service') continue;
        const there = ports.get(spec.selector['app.kubernetes.io/component']);
        for (const { targetPort } of spec.ports) expect([...(there ?? [])]).toContain(targetPort);
      }
    }
  });
});

describe('the PROXY protocol', () => {
  it('is expected on the ports of clients, and not on one for those in the cluster', () => {
    expect(YAML.parse(configurationOf(full))).toMatchObject({
      listen: {
        c2s: [
          { port: 5222, proxyProtocol: true },
          { port: 15_222, proxyProtocol: false },
        ],
        c2sTls: [{ port: 5223, proxyProtocol: true }],
      },
      proxyProtocol: { trustedNetworks: ['10.0.0.0/8', 'fd00::/8'] },
    });
    expect(the(full, 'Service', '-internal').spec).toMatchObject({
      type: 'ClusterIP',
      ports: [{ port: 5222, targetPort: 'internal' }],
    });
    expect(ruleOf(the(full, 'NetworkPolicy'), 15_222)?.from).toEqual([withLabels('test')]);
  });

  it('is not where nobody asked for it', () => {
    expect(YAML.parse(configurationOf(least))).toMatchObject({
      listen: { c2s: [{ port: 5222, proxyProtocol: false }], c2sTls: [{ port: 5223, proxyProtocol: false }] },
    });
  });
});

describe('limits of the network', () => {
  it('let in clients, and to health and metrics the namespace monitoring alone', () => {
    const policy = the(least, 'NetworkPolicy');
    expect(policy.spec.podSelector.matchLabels).toEqual(the(least, 'Deployment').spec.selector.matchLabels);
    expect(policy.spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(ruleOf(policy, 5222)).toEqual({ ports: [5222, 5223].map((port) => ({ port, protocol: 'TCP' })) });
    expect(ruleOf(policy, 5280)?.from).toEqual([monitoring]);
    expect(ruleOf(policy, 5269)).toBeUndefined();
    expect(ruleOf(policy, 5347)).toBeUndefined();
  });

  it('let in whom they are told to, and the pod of helm test', () => {
    const policy = the(full, 'NetworkPolicy');
    expect(ruleOf(policy, 5222)?.from).toEqual([{ ipBlock: { cidr: '192.0.2.0/24' } }, withLabels('test')]);
    expect(ruleOf(policy, 5269)?.from).toBeUndefined();
    expect(ruleOf(policy, 5347)?.from).toEqual([{ podSelector: { matchLabels: { app: 'irc' } } }]);
    expect(ruleOf(policy, 5280)?.from).toEqual([{ namespaceSelector: { matchLabels: { team: 'operations' } } }]);
  });

  it('let components in from the same namespace where nobody is named', () => {
    const manifests = render({ ...LEAST, config: { components: [{ domain: 'irc.example.org' }] } });
    expect(ruleOf(the(manifests, 'NetworkPolicy'), 5347)?.from).toEqual([{ podSelector: {} }]);
  });

  it('let nodes out to what the configuration names', () => {
    expect(egressPorts(the(least, 'NetworkPolicy'))).toEqual(['53/UDP', '53/TCP', '6379/TCP', '26379/TCP']);
    expect(egressPorts(the(full, 'NetworkPolicy'))).toEqual([
      ...['53/UDP', '53/TCP', '6379/TCP', '26379/TCP', '6514/TCP'], // logs
      ...['389/TCP', '636/TCP'], // directories
      '1/TCP', // other servers: to 65535
      '4318/TCP', // the collector
      '443/TCP', // as it was told
    ]);
    const more = (config: object) => egressPorts(the(render({ ...LEAST, config }), 'NetworkPolicy')).slice(4);
    expect(more({ opentelemetry: { endpoint: 'https://collector.example.org/otlp' } })).toEqual(['443/TCP']);
    expect(more({ opentelemetry: { endpoint: 'http://collector.example.org' } })).toEqual(['80/TCP']);
    const provider = { name: 'sso', issuer: 'https://sso.example.org', audience: ['xmpp'] };
    const asked = [
      { ...provider, keys: 'https://sso.example.org/keys' },
      { ...provider, name: 'old', introspection: { url: 'https://sso.example.org:8443/introspect' } },
    ];
    expect(more({ identityProviders: asked })).toEqual(['443/TCP', '8443/TCP']);
    expect(more({ audit: { syslog: { transport: 'udp', host: 'logs', port: 1514 } } })).toEqual(['1514/UDP']);
  });

  it('let a Redis for trying be reached by this release alone', () => {
    const { spec } = the(render(TRIAL), 'NetworkPolicy', '-redis');
    expect(spec.ingress).toEqual([
      { ports: [{ port: 6379, protocol: 'TCP' }], from: ['node', 'snmp', 'test'].map(withLabels) },
    ]);
    expect(spec.policyTypes).toEqual(['Ingress', 'Egress']); // and it reaches nobody
    expect(spec.egress).toBeUndefined();
  });

  it('let managers ask the SNMP agent, and it tell them', () => {
    const policy = the(render(SNMP), 'NetworkPolicy', '-snmp');
    expect(policy.spec.ingress).toEqual([{ ports: [{ port: 1161, protocol: 'UDP' }], from: [monitoring] }]);
    expect(egressPorts(policy)).toEqual(['53/UDP', '53/TCP', '6379/TCP', '26379/TCP', '162/UDP']);
  });
});

describe('a Gateway', () => {
  const routes = (manifests: readonly Manifest[]) =>
    manifests
      .filter(({ kind }) => kind.endsWith('Route'))
      .map(({ kind, apiVersion, spec }) => {
        const [parent] = spec.parentRefs;
        const [{ backendRefs }] = spec.rules;
        return [
          kind,
          apiVersion.split('/')[1],
          parent.name,
          parent.sectionName,
          backendRefs[0].name,
          backendRefs[0].port,
        ];
      });

  it('has a route to each port, by the domain that is asked for where TLS comes first', () => {
    expect(routes(full).sort()).toEqual([
      ['TCPRoute', 'v1', 'edge', 'xmpp-client', 'chat-parley-clients', 5222],
      ['TCPRoute', 'v1', 'edge', 'xmpp-server', 'chat-parley-federation', 5269],
      ['TLSRoute', 'v1', 'edge', 'xmpps-client', 'chat-parley-clients', 5223],
      ['TLSRoute', 'v1', 'edge', 'xmpps-server', 'chat-parley-federation', 5270],
      ['UDPRoute', 'v1', 'internal', 'snmp', 'chat-parley-snmp', 161],
    ]);
    expect(the(full, 'TLSRoute', '-xmpps-client').spec.hostnames).toEqual(['example.org', 'example.net']);
    expect(the(full, 'TCPRoute', '-xmpp-client').spec.parentRefs).toEqual([
      { name: 'edge', namespace: 'gateways', sectionName: 'xmpp-client' },
    ]);
  });

  it('has none to ports without a listener, and TCP alone where it is told so', () => {
    const gateway = { enabled: true, parentRefs: [{ name: 'edge' }], tlsRoutes: false, version: 'v1alpha2' };
    const manifests = render({ ...LEAST, gateway: { ...gateway, listeners: { clients: '' } } });
    expect(routes(manifests)).toEqual([['TCPRoute', 'v1alpha2', 'edge', 'xmpps-client', 'chat-parley-clients', 5223]]);
  });
});
