import { describe, expect, it } from 'vitest';
import { configurationOf, type Manifest, render, the, YAML } from './chart.ts';
import { FULL, LEAST, TRIAL } from './chart-values.ts';

const withValues = (more: object): Manifest => the(render({ ...LEAST, ...more }), 'Deployment');
const podOf = (deployment: Manifest) => deployment.spec.template.spec;
const parleyOf = (deployment: Manifest) => podOf(deployment).containers[0];

const plain = withValues({});
const full = the(render(FULL), 'Deployment');

describe('an upgrade', () => {
  it('has a new node ready before an old one goes', () => {
    expect(plain.spec.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  });

  it.each([
    ['by default', {}, { preStop: 5, grace: 95, minReady: 65, progress: 545 }],
    [
      'with long drains',
      { drain: { seconds: 600, preStopSeconds: 15 } },
      { preStop: 15, grace: 645, minReady: 615, progress: 1095 },
    ],
    [
      'with none',
      { drain: { seconds: 0, preStopSeconds: 0 } },
      { preStop: undefined, grace: 30, minReady: 0, progress: 480 },
    ],
    ['with a margin', { drain: { marginSeconds: 60 } }, { preStop: 5, grace: 125, minReady: 65, progress: 545 }],
    ['hurried', { rollout: { minReadySeconds: 3 } }, { preStop: 5, grace: 95, minReady: 3, progress: 483 }],
  ])('leaves a node the time that its drain takes, one after the other: %s', (_, values, expected) => {
    const deployment = withValues(values);
    expect({
      preStop: parleyOf(deployment).lifecycle?.preStop.sleep.seconds,
      grace: podOf(deployment).terminationGracePeriodSeconds,
      minReady: deployment.spec.minReadySeconds,
      progress: deployment.spec.progressDeadlineSeconds,
    }).toEqual(expected);
  });

  it('drains for as long as it was told', () => {
    const config = YAML.parse(configurationOf(render({ ...LEAST, drain: { seconds: 600 } })));
    expect(config).toMatchObject({ drain: { seconds: 600 } });
  });

  it('starts nodes anew where their configuration has changed, and for nothing else', () => {
    const sum = (values: object) => withValues(values).spec.template.metadata.annotations['checksum/configuration'];
    expect(sum({ config: { log: { level: 'debug' } } })).not.toBe(sum({}));
    expect(sum({ drain: { seconds: 61 } })).not.toBe(sum({}));
    expect(sum({ replicas: 7, monitoring: { rules: { enabled: true } } })).toBe(sum({}));
    expect(sum({ rollout: { restartOnChange: false } })).toBeUndefined();
  });
});

describe('probes', () => {
  it('ask for readiness at the start and on, and for life alone whether it is to be killed', () => {
    const { startupProbe, readinessProbe, livenessProbe } = parleyOf(plain);
    expect(startupProbe.httpGet).toEqual({ path: '/health/ready', port: 'http' });
    expect(readinessProbe.httpGet).toEqual({ path: '/health/ready', port: 'http' });
    expect(livenessProbe.httpGet).toEqual({ path: '/health/live', port: 'http' });
    expect(parleyOf(plain).ports).toContainEqual({ name: 'http', containerPort: 5280 });
  });

  it('give a node the time to start that it was given', () => {
    const { startupProbe } = parleyOf(withValues({ probes: { startupSeconds: 61 } }));
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(62);
  });
});

describe('pods', () => {
  const all = [...render(FULL), ...render(TRIAL)].flatMap(({ kind, metadata, spec }) => {
    if (kind === 'Pod') return [{ name: metadata.name, pod: spec }];
    return kind === 'Deployment' ? [{ name: metadata.name, pod: spec.template.spec }] : [];
  });

  it.each(all)('$name may do nothing that the restricted standard forbids', ({ pod }) => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 10001,
      fsGroup: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod[field]).toBeUndefined();
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      });
      const mounted = container.volumeMounts.map(({ name }: { name: string }) => name);
      const volumes = pod.volumes.map(({ name }: { name: string }) => name);
      expect(volumes).toEqual(expect.arrayContaining(mounted));
    }
  });

  it('can write to what is gone with them alone, and read secrets as their group', () => {
    const { volumes } = podOf(full);
    const { volumeMounts } = parleyOf(full);
    const writable = volumeMounts.filter(({ readOnly }: { readOnly?: boolean }) => !readOnly);
    expect(writable).toEqual([
      { name: 'state', mountPath: '/var/lib/parley' },
      { name: 'tmp', mountPath: '/tmp' },
    ]);
    for (const volume of volumes) {
      if (volume.secret) expect(volume.secret.defaultMode).toBe(0o440);
      if (['state', 'tmp'].includes(volume.name)) expect(volume.emptyDir).toEqual({ sizeLimit: '64Mi' });
    }
  });

  it('of nodes call themselves by their names', () => {
    expect(parleyOf(plain).env).toEqual([
      { name: 'PARLEY_CLUSTER__NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'PARLEY_CONFIG', value: '/etc/parley/parley.yaml' },
    ]);
    expect(parleyOf(plain).command).toEqual(['parley', '--config', '/etc/parley/parley.yaml', 'start']);
  });

  it('of nodes are spread over machines and zones, each version by itself', () => {
    const { topologySpreadConstraints } = podOf(plain);
    expect(topologySpreadConstraints.map(({ topologyKey }: { topologyKey: string }) => topologyKey)).toEqual([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
    for (const constraint of topologySpreadConstraints) {
      expect(constraint).toMatchObject({ maxSkew: 1, matchLabelKeys: ['pod-template-hash'] });
      expect(constraint.labelSelector.matchLabels).toEqual(plain.spec.selector.matchLabels);
    }
  });

  it('run where they were told, by the image that was named', () => {
    expect(podOf(full)).toMatchObject({
      nodeSelector: { pool: 'chat' },
      tolerations: [{ key: 'chat' }],
      priorityClassName: 'chat',
      imagePullSecrets: [{ name: 'registry' }],
    });
    expect(parleyOf(full).image).toBe(`registry.example.org/parley@sha256:${'0123456789abcdef'.repeat(4)}`);
    expect(parleyOf(plain).image).toMatch(/^parley:\d+\.\d+\.\d+$/);
    expect(parleyOf(full).env).toContainEqual({ name: 'NODE_OPTIONS', value: '--max-old-space-size=1536' });
  });

  it('of nodes, agent and test trust the same authorities', () => {
    const trust = { name: 'NODE_EXTRA_CA_CERTS', value: '/run/parley/files/authorities/ca.crt' };
    const manifests = render(FULL);
    const [agent] = podOf(the(manifests, 'Deployment', '-snmp')).containers;
    const [test] = the(manifests, 'Pod', '-test-chat').spec.containers;
    for (const { env } of [parleyOf(full), agent, test]) expect(env).toContainEqual(trust);
  });
});

describe('secrets', () => {
  it('come by reference alone: none of what is rendered holds one', () => {
    for (const { kind } of [...render(FULL), ...render(TRIAL)]) expect(kind).not.toBe('Secret');
  });

  it('are mounted as files, which the configuration names', () => {
    const config = YAML.parse(configurationOf(render(FULL))) as Record<string, Record<string, unknown>>;
    expect(config.cluster).toEqual({ secretFile: '/run/parley/cluster/secret' });
    expect(config.keyspace).toEqual({
      url: 'redis+sentinel://parley@redis-0.data,redis-1.data,redis-2.data/main',
      passwordFile: '/run/parley/redis/password',
    });
    const places = parleyOf(full).volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
    for (const [file] of JSON.stringify(config).matchAll(/\/run\/parley\/[^"]+/g)) {
      expect(places).toContain(file.slice(0, file.lastIndexOf('/')));
    }
  });
});

it('a budget has one node missing at a time, and does not keep machines for nodes that cannot take clients', () => {
  const { spec } = the(render(LEAST), 'PodDisruptionBudget');
  expect(spec).toEqual({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels: plain.spec.selector.matchLabels },
  });
});

describe('more nodes for more sessions', () => {
  const autoscaling = { enabled: true, sessionsPerNode: 20_000, prometheusUrl: 'http://prometheus:9090' };
  const calm = {
    stabilizationWindowSeconds: 1800,
    policies: [{ type: 'Pods', value: 1, periodSeconds: 600 }],
  };

  it('by a metric of pods', () => {
    const manifests = render({ ...LEAST, autoscaling });
    expect(the(manifests, 'Deployment').spec.replicas).toBeUndefined();
    const { spec } = the(manifests, 'HorizontalPodAutoscaler');
    expect(spec.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'chat-parley' });
    const target = { type: 'AverageValue', averageValue: '20000' };
    expect(spec.metrics).toEqual([{ type: 'Pods', pods: { metric: { name: 'xmpp_sessions' }, target } }]);
    expect(spec.behavior.scaleDown).toEqual(calm);
  });

  it('by KEDA, of this release alone', () => {
    const manifests = render({ ...LEAST, autoscaling: { ...autoscaling, by: 'keda' } });
    expect(manifests.some(({ kind }) => kind === 'HorizontalPodAutoscaler')).toBe(false);
    const { spec } = the(manifests, 'ScaledObject');
    expect(spec).toMatchObject({ scaleTargetRef: { name: 'chat-parley' }, minReplicaCount: 2, maxReplicaCount: 10 });
    expect(spec.triggers[0].metadata).toEqual({
      serverAddress: 'http://prometheus:9090',
      query: 'sum(xmpp_sessions{job="talk/chat-parley"})',
      threshold: '20000',
    });
    expect(spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown).toEqual(calm);
  });
});

describe('a certificate', () => {
  it('of cert-manager is for all domains, and is what nodes show', () => {
    const manifests = render(FULL);
    const { spec } = the(manifests, 'Certificate');
    expect(spec).toMatchObject({
      secretName: 'chat-parley-tls',
      dnsNames: ['example.org', 'example.net'],
      issuerRef: { name: 'company', kind: 'ClusterIssuer', group: 'cert-manager.io' },
      duration: '2160h',
      privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
    });
    expect(podOf(full).volumes).toContainEqual({
      name: 'tls',
      secret: { secretName: 'chat-parley-tls', defaultMode: 0o440 },
    });
    // as a folder: a single file that is mounted is never changed
    expect(parleyOf(full).volumeMounts).toContainEqual({ name: 'tls', mountPath: '/run/parley/tls', readOnly: true });
    expect(YAML.parse(configurationOf(manifests))).toMatchObject({
      tls: { certificate: '/run/parley/tls/tls.crt', key: '/run/parley/tls/tls.key' },
    });
  });

  it('of one’s own is shown, and none is where none was named', () => {
    const own = render({ ...LEAST, tls: { secretName: 'own' }, config: { tls: { minVersion: 'TLSv1.3' } } });
    expect(the(own, 'Deployment').spec.template.spec.volumes).toContainEqual(
      expect.objectContaining({ secret: { secretName: 'own', defaultMode: 0o440 } }),
    );
    expect(YAML.parse(configurationOf(own))).toMatchObject({
      tls: { minVersion: 'TLSv1.3', certificate: '/run/parley/tls/tls.crt' },
    });
    expect(YAML.parse(configurationOf(render(LEAST)))).not.toHaveProperty('tls');
  });
});
