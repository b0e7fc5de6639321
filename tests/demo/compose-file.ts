import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

// the server's own
const { parse } = createRequire(new URL('../../packages/server/package.json', import.meta.url))('yaml') as {
  parse(text: string, options?: { merge: boolean }): unknown;
};
export const yaml = <T>(path: string): T => parse(read(path), { merge: true }) as T;

export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile?: string };
  readonly command?: readonly string[];
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly stop_signal?: string;
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, object>>;
}

/** docker-compose.yml, with what is said once for several services in each of them. */
export const compose = yaml<Compose>('docker-compose.yml');

export const services = Object.entries(compose.services);

export interface Mount {
  readonly service: string;
  /** A file of the project, or a volume. */
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
}

/** What a service sees of the machine. */
export const mounts: readonly Mount[] = services.flatMap(([service, { volumes = [] }]) =>
  volumes.map((volume) => {
    const [source = '', target = '', mode] = volume.split(':');
    return { service, source: source.replace(/^\.\//, ''), target, writable: mode !== 'ro' };
  }),
);

/** The file of the project that a service finds there. */
export function mountedAt(service: string, target: string): string {
  const mount = mounts.find((each) => each.service === service && each.target === target);
  if (mount === undefined) throw new Error(`${service} has nothing at ${target}.`);
  return mount.source;
}

/** `host:port` where one service reaches another: it has to be one, in a network of both. */
export function reach(from: string, address: string): { service: string; port: number } {
  const [service = '', port] = address.split(':');
  const networks = compose.services[service]?.networks ?? [];
  if (!compose.services[from]?.networks?.some((network) => networks.includes(network))) {
    throw new Error(`${from} and ${service} share no network.`);
  }
  return { service, port: Number(port) };
}
