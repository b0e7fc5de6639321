// Parts of Kubernetes' objects that several values of the chart have, as JSON Schema.
import { type ChartValue, choice, group, list, names, strict, text, value, whole } from './chart-value.ts';

/** RFC 1123 §2.1, as names of objects are. */
export const NAME = '^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$';
/** Of a key in a Secret or ConfigMap. */
const KEY = '^[-._a-zA-Z0-9]{1,253}$';
const string = { type: 'string', minLength: 1, maxLength: 4096 };

const labels = { type: 'object', additionalProperties: { type: 'string' } };

/** metav1.LabelSelector */
const selector = strict({
  matchLabels: labels,
  matchExpressions: {
    type: 'array',
    items: strict({ key: string, operator: { enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] }, values: strings() }, [
      'key',
      'operator',
    ]),
  },
});

/** networking/v1 NetworkPolicyPeer */
const peer = strict({
  podSelector: selector,
  namespaceSelector: selector,
  ipBlock: strict({ cidr: string, except: strings() }, ['cidr']),
});

function strings() {
  return { type: 'array', items: string };
}

const policyPort = strict({
  port: { type: ['integer', 'string'] },
  endPort: { type: 'integer' },
  protocol: { enum: ['TCP', 'UDP', 'SCTP'] },
});

/** Those that a NetworkPolicy lets in. */
export const peers = (description: string): ChartValue => list(description, peer);

export const egressRules = (description: string): ChartValue =>
  list(description, strict({ to: { type: 'array', items: peer }, ports: { type: 'array', items: policyPort } }));

/** One key of a Secret, which somebody else has made. */
export const secretKey = (what: string, key: string): ChartValue =>
  group(what, {
    name: text('', 'Name of the Secret.', { pattern: `^$|${NAME}` }),
    key: text(key, 'The key in it.', { pattern: KEY }),
  });

const quantities = { type: 'object', additionalProperties: { type: ['string', 'number'] } };

export const resources = (requests: object, limits: object): ChartValue =>
  group('What a container asks for, and may take at most.', {
    requests: value(requests, 'What it asks for.', quantities),
    limits: value(
      limits,
      'The most that it may take. Not of CPU: that would have it stand still at times.',
      quantities,
    ),
  });

/** Where pods may run. */
export const placement = {
  nodeSelector: names('Labels of the machines that it may run on.'),
  tolerations: list(
    'Taints of machines that it may run on nevertheless.',
    strict({
      key: string,
      operator: { enum: ['Exists', 'Equal', 'Lt', 'Gt'] },
      value: { type: 'string' },
      effect: { enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
      tolerationSeconds: { type: 'integer' },
    }),
  ),
  affinity: value({}, 'Further wishes for machines (core/v1 Affinity, as it is).', { type: 'object' }),
  priorityClassName: text('', 'PriorityClass of the pods.'),
};

/** How a Service is reached from outside. */
export const service = (type: string, types: readonly string[], more: Record<string, ChartValue> = {}): ChartValue =>
  group('The Service.', {
    type: choice(type, types, 'How it is reached.'),
    annotations: names('Annotations, which most clouds take their settings for load balancers from.'),
    loadBalancerClass: text('', 'Which load balancer, where there are several.'),
    loadBalancerSourceRanges: list('Networks that the load balancer lets in. Empty: everybody.', string),
    externalTrafficPolicy: choice(
      'Local',
      ['Local', 'Cluster'],
      'With `Local` nodes see the addresses of those who connect, as limits and lockouts need it. With `Cluster` everybody seems to come from the machines of the cluster.',
    ),
    ipFamilyPolicy: choice(
      '',
      ['', 'SingleStack', 'PreferDualStack', 'RequireDualStack'],
      'IPv4, IPv6 or both. Empty: as the cluster does.',
    ),
    ...more,
  });

/** gateway.networking.k8s.io ParentReference */
export const parents = (description: string): ChartValue =>
  list(
    description,
    strict({ name: { type: 'string', pattern: NAME }, namespace: { type: 'string', pattern: NAME } }, ['name']),
  );

export const port = (fallback: number, description: string): ChartValue => whole(fallback, description, 0, 65_535);

/** Secrets and ConfigMaps that are put where the configuration can name their files. */
export const mounts = (description: string): ChartValue =>
  list(description, {
    ...strict(
      {
        name: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$' },
        secret: { type: 'string', pattern: NAME },
        configMap: { type: 'string', pattern: NAME },
      },
      ['name'],
    ),
    oneOf: [{ required: ['secret'] }, { required: ['configMap'] }],
  });
