/** What the chart needs to be made at all. */
export const LEAST = {
  redis: { url: 'redis://redis.example.org' },
  cluster: { secret: { name: 'parley-cluster' } },
};

const manager = {
  name: 'noc',
  passwordFile: '/run/parley/files/snmp/password',
  privacyPasswordFile: '/run/parley/files/snmp/privacy',
};

export const SNMP = {
  ...LEAST,
  config: { snmp: { users: [manager], targets: [{ host: 'nms.example.org', user: 'noc' }] } },
  files: [{ name: 'snmp', secret: 'parley-snmp' }],
  snmp: { enabled: true },
};

/** The trial of docs/kubernetes.md. */
export const TRIAL = {
  config: { domains: ['chat.example.org'] },
  redis: { trial: { enabled: true } },
  cluster: { secret: { name: 'parley-cluster' } },
};

/** Everything at once, as a large organisation may have it. */
export const FULL = {
  image: { repository: 'registry.example.org/parley', digest: `sha256:${'0123456789abcdef'.repeat(4)}` },
  imagePullSecrets: ['registry'],
  replicas: 4,
  config: {
    domains: ['example.org', { name: 'example.net', mechanisms: ['SCRAM-SHA-256'] }],
    admins: ['alice@example.org'],
    federation: { enabled: true, default: 'certificate' },
    components: [{ domain: 'irc.example.org', secretFile: '/run/parley/files/irc/secret' }],
    proxyProtocol: { trustedNetworks: ['10.0.0.0/8', 'fd00::/8'] },
    authentication: { accounts: ['staff', 'internal'] },
    directories: [
      {
        name: 'staff',
        servers: ['ldaps://ldap.example.org'],
        bind: { dn: 'cn=parley,dc=example,dc=org', passwordFile: '/run/parley/files/staff/password' },
        people: { base: 'ou=people,dc=example,dc=org' },
      },
    ],
    limits: { unacknowledged: { maxBytes: 16_777_216 } },
    modules: { vcard: false },
    http: { allowedHosts: ['parley.internal.example.org'] },
    audit: { syslog: { transport: 'tls', host: 'logs.example.org' } },
    opentelemetry: { endpoint: 'http://collector.monitoring:4318' },
    snmp: { ...SNMP.config.snmp, associations: 'all' },
  },
  files: [
    { name: 'irc', secret: 'parley-irc' },
    { name: 'staff', secret: 'parley-staff' },
    { name: 'snmp', secret: 'parley-snmp' },
    { name: 'authorities', configMap: 'company-authorities' },
  ],
  redis: {
    url: 'redis+sentinel://parley@redis-0.data,redis-1.data,redis-2.data/main',
    passwordSecret: { name: 'parley-redis' },
  },
  cluster: { secret: { name: 'parley-cluster' } },
  tls: { certificate: { enabled: true, issuerRef: { name: 'company' }, duration: '2160h', renewBefore: '720h' } },
  clients: {
    proxyProtocol: true,
    service: {
      annotations: { 'example.org/proxy-protocol': 'v2' },
      loadBalancerClass: 'example.org/l4',
      loadBalancerSourceRanges: ['192.0.2.0/24'],
      ipFamilyPolicy: 'PreferDualStack',
    },
  },
  components: { from: [{ podSelector: { matchLabels: { app: 'irc' } } }] },
  gateway: { enabled: true, parentRefs: [{ name: 'edge', namespace: 'gateways' }] },
  drain: { seconds: 120, preStopSeconds: 10 },
  autoscaling: { enabled: true, minReplicas: 3, maxReplicas: 12, sessionsPerNode: 20_000 },
  networkPolicy: {
    clients: [{ ipBlock: { cidr: '192.0.2.0/24' } }],
    monitoring: [{ namespaceSelector: { matchLabels: { team: 'operations' } } }],
    egress: { extra: [{ to: [{ ipBlock: { cidr: '198.51.100.7/32' } }], ports: [{ port: 443, protocol: 'TCP' }] }] },
  },
  monitoring: {
    serviceMonitor: { enabled: true, labels: { release: 'prometheus' }, interval: '30s' },
    rules: { enabled: true, labels: { release: 'prometheus' }, extraLabels: { team: 'chat' } },
  },
  snmp: {
    enabled: true,
    service: { type: 'LoadBalancer', loadBalancerSourceRanges: ['192.0.2.128/25'] },
    gatewayParentRefs: [{ name: 'internal' }],
    agentx: {
      enabled: true,
      image: { repository: 'registry.example.org/snmpd', tag: '5.9' },
      configSecret: { name: 'parley-snmpd' },
    },
  },
  test: { accounts: { name: 'parley-test' }, authorities: '/run/parley/files/authorities/ca.crt' },
  trustedAuthorities: '/run/parley/files/authorities/ca.crt',
  nodeOptions: '--max-old-space-size=1536',
  podLabels: { team: 'chat' },
  podAnnotations: { 'example.org/owner': 'chat' },
  nodeSelector: { pool: 'chat' },
  tolerations: [{ key: 'chat', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
  priorityClassName: 'chat',
};

/** Values that make something else of the chart, one after the other. */
export const MATRIX: [string, object][] = [
  ['the least', LEAST],
  ['a trial', TRIAL],
  ['everything', FULL],
  ['a trial with a password', { ...TRIAL, redis: { trial: { enabled: true }, passwordSecret: { name: 'redis' } } }],
  ['Redis Cluster, encrypted', { ...LEAST, redis: { url: 'redis+cluster://a:7000,b:7000,c:7000' } }],
  ['one node', { ...LEAST, replicas: 1, podDisruptionBudget: { enabled: false }, topologySpread: { enabled: false } }],
  ['no direct TLS', { ...LEAST, clients: { tls: 0 } }],
  ['direct TLS alone', { ...LEAST, clients: { starttls: 0 } }],
  ['no ports for clients', { ...LEAST, clients: { starttls: 0, tls: 0 } }],
  ['federation by one port', { ...LEAST, config: { federation: { enabled: true } }, federation: { tls: 0 } }],
  ['node ports', { ...LEAST, clients: { service: { type: 'NodePort', externalTrafficPolicy: 'Cluster' } } }],
  [
    'a Gateway of an older version, by TCP alone',
    {
      ...LEAST,
      config: { federation: { enabled: true } },
      clients: { service: { type: 'ClusterIP' } },
      gateway: { enabled: true, parentRefs: [{ name: 'edge' }], tlsRoutes: false, version: 'v1alpha2' },
    },
  ],
  ['a certificate of one’s own', { ...LEAST, tls: { secretName: 'own' }, test: { verifyCertificate: false } }],
  [
    'KEDA',
    { ...LEAST, autoscaling: { enabled: true, by: 'keda', prometheusUrl: 'http://prometheus.monitoring:9090' } },
  ],
  ['an SNMP agent', SNMP],
  ['no limits of the network', { ...SNMP, networkPolicy: { enabled: false } }],
  ['a limit of who comes, and not of whom they reach', { ...SNMP, networkPolicy: { egress: { enabled: false } } }],
  ['no IPv6', { ...LEAST, listenHost: '0.0.0.0' }],
  ['an account of somebody else', { ...LEAST, serviceAccount: { create: false, name: 'chat' } }],
  ['no account', { ...LEAST, serviceAccount: { create: false } }],
  ['reloads by hand', { ...LEAST, rollout: { restartOnChange: false, minReadySeconds: 5, maxSurge: '50%' } }],
  ['no time to drain', { ...LEAST, drain: { seconds: 0, preStopSeconds: 0 } }],
  ['names of its own', { ...LEAST, fullnameOverride: 'chat-parley', nameOverride: 'messenger' }],
  ['audit by UDP', { ...LEAST, config: { audit: { syslog: { transport: 'udp', host: 'logs' } } } }],
];
