import {
  egressRules,
  mounts,
  NAME,
  parents,
  peers,
  placement,
  port,
  resources,
  secretKey,
  service,
} from './chart-parts.ts';
import { choice, flag, group, list, names, text, value, whole } from './chart-value.ts';

const image = (repository: string, tag: string, what: string) =>
  group(what, {
    repository: text(repository, 'Where the image is, without its tag.'),
    tag: text(tag, repository === 'parley' ? 'Which one of it. Empty: the version of the chart.' : 'Which one of it.'),
    digest: text('', 'Its digest, in place of a tag.', { pattern: '^$|^sha256:[0-9a-f]{64}$' }),
    pullPolicy: choice('IfNotPresent', ['Always', 'IfNotPresent', 'Never'], 'When it is fetched.'),
  });

const pods = {
  podAnnotations: names('Annotations of the pods.'),
  podLabels: names('Further labels of the pods.'),
  ...placement,
};

/** No credentials: the file with the configuration is a ConfigMap. */
const REDIS_URL = '^$|^(rediss?|redis\\+(sentinel|cluster))://([^:@/]+@)?[^@]+$';

/** Everything that may stand in the values of the chart, but for `config`. */
export const chartValues = {
  nameOverride: text('', 'In place of `parley` in names.'),
  fullnameOverride: text('', 'In place of the release and the chart in names.'),
  image: image('parley', '', 'The image of Parley: one for nodes, the SNMP agent and `parley`.'),
  imagePullSecrets: list('Secrets that images are fetched with.', { type: 'string', pattern: NAME }),
  replicas: whole(2, 'How many nodes there are, where `autoscaling` does not decide.', 1, 1000),
  files: mounts(
    'Secrets and ConfigMaps whose files `config` names: each lies in /run/parley/files/NAME. This is how passwords get to nodes.',
  ),
  redis: group('Where the state is.', {
    url: text(
      '',
      'redis://host:6379, rediss://…, redis+sentinel://host1,host2,host3/name or redis+cluster://host1,host2,host3; a user may stand in it (redis://user@host), a password not.',
      { pattern: REDIS_URL },
    ),
    passwordSecret: secretKey('Where its password is; without a name, there is none.', 'password'),
    trial: group('A Redis of the chart’s own, for trying: one process without a replica.', {
      enabled: flag(false, 'Whether there is one; then leave `url` empty.'),
      image: image('docker.io/valkey/valkey', '8.1-alpine', 'Its image.'),
      resources: resources({ cpu: '100m', memory: '128Mi' }, { memory: '512Mi' }),
    }),
  }),
  cluster: group('What the nodes share.', {
    secret: secretKey(
      'At least 32 random characters (`cluster.secret`). Required: kubectl create secret generic NAME --from-literal=secret=$(openssl rand -hex 32)',
      'secret',
    ),
  }),
  tls: group(
    'The certificate for all domains. Further ones, for single domains, come by `files` and `config.domains`.',
    {
      secretName: text('', 'A Secret of type kubernetes.io/tls. Nodes read it again when it changes.', {
        pattern: `^$|${NAME}`,
      }),
      certificate: group('Have cert-manager make it.', {
        enabled: flag(false, 'Whether it does.'),
        issuerRef: group('Who signs it.', {
          name: text('', 'Name of the issuer.'),
          kind: choice('ClusterIssuer', ['ClusterIssuer', 'Issuer'], 'Its kind.'),
          group: text('cert-manager.io', 'Its API group.'),
        }),
        dnsNames: list('What it is for. Empty: `config.domains`.', { type: 'string', minLength: 1, maxLength: 253 }),
        duration: text('', 'How long it is good, as 2160h. Empty: as cert-manager does.'),
        renewBefore: text('', 'How long before its end there is a new one.'),
        algorithm: choice('ECDSA', ['ECDSA', 'RSA'], 'Kind of its key.'),
        size: whole(256, 'Size of its key: 256 or 384 for ECDSA, 2048 or more for RSA.', 256, 8192),
      }),
    },
  ),
  clients: group('The ports for clients.', {
    starttls: port(5222, 'The port with STARTTLS; 0 for none.'),
    tls: port(5223, 'The port with TLS from the first byte; 0 for none.'),
    proxyProtocol: flag(
      false,
      'The load balancer says whose connection it is (PROXY protocol). Name its addresses in `config.proxyProtocol.trustedNetworks`.',
    ),
    service: service('LoadBalancer', ['LoadBalancer', 'NodePort', 'ClusterIP']),
  }),
  federation: group('The ports for other servers, where `config.federation.enabled` is on.', {
    starttls: port(5269, 'The port with STARTTLS; 0 for none.'),
    tls: port(5270, 'The port with TLS from the first byte; 0 for none.'),
    service: service('LoadBalancer', ['LoadBalancer', 'NodePort', 'ClusterIP']),
  }),
  components: group('The port for external components, where there are `config.components`. It is not encrypted.', {
    port: port(5347, 'The port.'),
    from: peers('Who may connect to it. Empty: pods of this namespace.'),
  }),
  listenHost: text('::', 'The interface that nodes listen on; 0.0.0.0 where pods have no IPv6.'),
  gateway: group('Routes of a Gateway (Gateway API), in place of load balancers or beside them.', {
    enabled: flag(false, 'Whether there are some.'),
    parentRefs: parents('The Gateways that they belong to.'),
    listeners: group('Names of the listeners of these Gateways (`sectionName`). Empty: no route to that port.', {
      clients: text('xmpp-client', 'TCP, port 5222.'),
      clientsTls: text('xmpps-client', 'TLS with passthrough, or TCP: port 5223 or 443.'),
      federation: text('xmpp-server', 'TCP, port 5269.'),
      federationTls: text('xmpps-server', 'TLS with passthrough, or TCP: port 5270.'),
    }),
    tlsRoutes: flag(
      true,
      'Ports with TLS from the first byte get a TLSRoute, chosen by the domain that is asked for (SNI); else a TCPRoute.',
    ),
    version: choice(
      'v1',
      ['v1', 'v1alpha2'],
      'Of TCPRoute and UDPRoute: v1 since Gateway API 1.6, v1alpha2 before. TLSRoute is v1.',
    ),
  }),
  drain: group('How a node goes.', {
    seconds: whole(60, 'The longest time for its sessions to go to other nodes (`drain.seconds`).', 0, 3600),
    preStopSeconds: whole(
      5,
      'So long nobody new is sent to a node that is to go, and it serves those who come nevertheless: load balancers take that time to hear of it.',
      0,
      300,
    ),
    marginSeconds: whole(30, 'What it may take beyond both before it is killed.', 15, 600),
  }),
  rollout: group('How one version takes the place of another.', {
    maxSurge: value(1, 'How many nodes there may be more meanwhile: a number, or a percentage.', {
      anyOf: [
        { type: 'integer', minimum: 1 },
        { type: 'string', pattern: '^[1-9][0-9]*%$' },
      ],
    }),
    minReadySeconds: whole(
      0,
      'How long a new node serves before the next old one goes. 0: as long as an old one may take to go, so that one goes after the other.',
      0,
      3600,
    ),
    revisionHistoryLimit: whole(5, 'Old versions that are kept for `kubectl rollout undo`.'),
    restartOnChange: flag(
      true,
      'A changed configuration starts the nodes anew, one after the other. Without, they have it within a minute or two, and `parley reload` in each has it in force.',
    ),
  }),
  probes: group('Whether a node lives, and can take clients.', {
    startupSeconds: whole(180, 'How long it may take to be ready for the first time.', 10, 3600),
    readinessPeriodSeconds: whole(5, 'How often it is asked whether it is ready.', 1, 300),
    livenessPeriodSeconds: whole(10, 'How often it is asked whether it lives; Redis has no part in that.', 1, 300),
    livenessFailures: whole(6, 'How often it may not answer before it is started anew.', 1, 100),
  }),
  podDisruptionBudget: group('What may be taken away at once, as when machines are emptied.', {
    enabled: flag(true, 'Whether there is a limit.'),
    maxUnavailable: whole(1, 'Nodes that may be missing at the same time.', 1, 1000),
  }),
  topologySpread: group('Nodes are spread over machines and zones.', {
    enabled: flag(true, 'Whether they are.'),
    whenUnsatisfiable: choice('ScheduleAnyway', ['ScheduleAnyway', 'DoNotSchedule'], 'Where that is not possible.'),
  }),
  autoscaling: group('More nodes where there are more sessions.', {
    enabled: flag(false, 'Whether there are.'),
    by: choice(
      'metrics',
      ['metrics', 'keda'],
      '`metrics`: a HorizontalPodAutoscaler on the metric xmpp_sessions of pods, as prometheus-adapter gives it. `keda`: a ScaledObject that asks Prometheus.',
    ),
    minReplicas: whole(2, 'Never fewer nodes.', 1, 1000),
    maxReplicas: whole(10, 'Never more nodes.', 1, 1000),
    sessionsPerNode: whole(10_000, 'How many sessions a node shall have.', 1),
    scaleDownPeriodSeconds: whole(
      600,
      'One node goes in this time at most: each of them sends its clients elsewhere.',
      60,
      1800,
    ),
    scaleDownWindowSeconds: whole(1800, 'So long fewer must have been enough.', 0, 3600),
    prometheusUrl: text('', 'Where KEDA finds Prometheus, as http://prometheus.monitoring:9090.'),
  }),
  networkPolicy: group('Who may reach the nodes, and whom they may reach.', {
    enabled: flag(true, 'Whether that is limited, where the network of the cluster can.'),
    clients: peers('Who may connect as a client. Empty: everybody.'),
    federation: peers('Who may connect as a server. Empty: everybody.'),
    monitoring: peers('Who may read health and metrics. Empty: the namespace monitoring.'),
    egress: group('Whom nodes may reach, beside DNS.', {
      enabled: flag(true, 'Whether that is limited.'),
      redisPorts: list(
        'Ports of Redis and of its sentinels.',
        { type: 'integer', minimum: 1, maximum: 65_535 },
        [6379, 26_379],
      ),
      directoryPorts: list(
        'Ports of `config.directories`.',
        { type: 'integer', minimum: 1, maximum: 65_535 },
        [389, 636],
      ),
      extra: egressRules('Whom else: networking/v1 NetworkPolicyEgressRule, as it is.'),
    }),
  }),
  monitoring: group('Prometheus.', {
    serviceMonitor: group('Have the Prometheus Operator scrape each node.', {
      enabled: flag(false, 'Whether it does.'),
      labels: names('Labels by which that Prometheus finds it.'),
      interval: text('15s', 'How often.', { pattern: '^[0-9]+(s|m)$' }),
    }),
    rules: group('Alerts (PrometheusRule): those of deploy/prometheus/parley.rules.yml, for this release alone.', {
      enabled: flag(false, 'Whether there are.'),
      labels: names('Labels by which that Prometheus finds them.'),
      extraLabels: names('Labels that every alert gets, too.'),
    }),
  }),
  snmp: group('The SNMP agent, a Deployment of its own. Who may ask it stands in `config.snmp`.', {
    enabled: flag(false, 'Whether there is one.'),
    service: group('The Service, UDP port 161.', {
      type: choice('ClusterIP', ['ClusterIP', 'NodePort', 'LoadBalancer'], 'How it is reached.'),
      annotations: names('Annotations.'),
      loadBalancerClass: text('', 'Which load balancer, where there are several.'),
      loadBalancerSourceRanges: list('Networks of managers. A load balancer needs some: SNMP is never for everybody.', {
        type: 'string',
        minLength: 1,
        not: { enum: ['0.0.0.0/0', '::/0'] },
      }),
    }),
    from: peers('Which managers may ask. Empty: the namespace monitoring.'),
    gatewayParentRefs: parents('A UDPRoute of these Gateways. Name none that strangers reach.'),
    gatewayListener: text('snmp', 'The name of their listener.'),
    agentx: group('Be a subagent of Net-SNMP’s snmpd, which runs beside it and answers managers (AgentX).', {
      enabled: flag(false, 'Whether it is.'),
      image: image('', '', 'An image with snmpd, which nobody publishes for this: bring your own.'),
      command: list('How snmpd is called.', { type: 'string' }, [
        'snmpd',
        '-f',
        '-Lo',
        '-C',
        '-c',
        '/etc/snmp/snmpd.conf',
        '-p',
        '/tmp/snmpd.pid',
        '-m',
        '',
        'udp:1161',
      ]),
      configSecret: secretKey(
        'Its snmpd.conf, with `master agentx`, `agentXSocket tcp:127.0.0.1:1705`, users and views.',
        'snmpd.conf',
      ),
    }),
    resources: resources({ cpu: '50m', memory: '128Mi' }, { memory: '256Mi' }),
    ...pods,
  }),
  serviceAccount: group('The account of the pods, which may do nothing: no token is mounted.', {
    create: flag(true, 'Whether the chart makes it.'),
    name: text('', 'Its name. Empty: that of the release, or `default`.'),
    annotations: names('Annotations.'),
  }),
  test: group('`helm test`: two users log in and chat.', {
    accounts: secretKey(
      'Two lines, an address and its password each, with a space in between, where accounts are in a directory. Without: two are made for it, and removed.',
      'accounts',
    ),
    verifyCertificate: flag(true, 'The certificate has to be good, where there is one of `tls`.'),
    authorities: text(
      '',
      'File with those who vouch for it (PEM), below /run/parley/files. Empty: those that the image trusts.',
    ),
  }),
  trustedAuthorities: text(
    '',
    'A file below /run/parley/files with authorities (PEM) that are trusted beside those of the image, as for Redis by TLS (NODE_EXTRA_CA_CERTS).',
  ),
  nodeOptions: text('', 'Options of Node.js (NODE_OPTIONS), as --max-old-space-size=1536.'),
  resources: resources({ cpu: '500m', memory: '512Mi' }, { memory: '2Gi' }),
  ...pods,
} as const;

/** Helm's own, for a chart that is part of another one. */
export const helmsOwn = { global: { type: 'object' } };
