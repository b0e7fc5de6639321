import type { Manifest } from './chart.ts';

interface Model {
  validate(): void;
}

/** Where the schemas of an API group are. */
function packageOf(group: string): string {
  if (group === 'gateway.networking.k8s.io') return `@kubernetes-models/gateway-api/${group}`;
  if (group === 'cert-manager.io') return `@kubernetes-models/cert-manager/${group}`;
  if (group === 'monitoring.coreos.com') return `@kubernetes-models/prometheus-operator/${group}`;
  if (group === 'keda.sh') return `@kubernetes-models/keda/${group}`;
  return ['kubernetes-models', group].filter(Boolean).join('/');
}

/** TCPRoute and UDPRoute became v1 as they were in v1alpha2; the schemas that are published have only the latter. */
const asPublished = (manifest: Manifest): Manifest =>
  /^(TCP|UDP)Route$/.test(manifest.kind) ? { ...manifest, apiVersion: 'gateway.networking.k8s.io/v1alpha2' } : manifest;

/** Throws where Kubernetes would refuse a manifest, or drop a part of it unseen. */
export async function checkManifest(given: Manifest): Promise<void> {
  const manifest = asPublished(given);
  const [version = '', group = ''] = manifest.apiVersion.split('/').reverse();
  const models = (await import(/* @vite-ignore */ `${packageOf(group)}/${version}/${manifest.kind}`)) as Record<
    string,
    { readonly prototype: Model }
  >;
  const Kind = models[manifest.kind];
  if (Kind === undefined) throw new Error(`There is no schema of ${manifest.apiVersion} ${manifest.kind}.`);
  const watch = new Watch();
  // the object itself: a model that is made of it would copy all of it
  Kind.prototype.validate.call(watch.over(manifest));
  const unknown = watch.unread(manifest, '');
  if (unknown.length > 0) throw new Error(`${manifest.kind} ${manifest.metadata.name} has unknown fields: ${unknown}`);
}

/** Any JSON may stand there, so no schema looks into it. */
const OPEN = /^\.metadata\.|\.matchLabels\./;

/** Notes which fields are looked at. A schema looks at those that it knows, and lets others pass. */
class Watch {
  readonly #looked = new Map<object, Set<string>>();
  readonly #proxies = new Map<object, object>();

  over<T extends object>(value: T): T {
    const made = this.#proxies.get(value) ?? this.#proxy(value);
    this.#proxies.set(value, made);
    return made as T;
  }

  #proxy(value: object): object {
    const fields = new Set<string>();
    this.#looked.set(value, fields);
    return new Proxy(value, {
      get: (target, field, receiver) => {
        const inside: unknown = Reflect.get(target, field, receiver);
        if (typeof field === 'string') fields.add(field);
        return typeof inside === 'object' && inside !== null ? this.over(inside) : inside;
      },
    });
  }

  unread(value: unknown, path: string): string[] {
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([field, inside]) => {
      const here = `${path}.${field}`;
      if (OPEN.test(here)) return [];
      return this.#looked.get(value)?.has(field) ? this.unread(inside, here) : [here];
    });
  }
}
