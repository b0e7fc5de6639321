import * as z from 'zod';
import { flag, seconds, section } from './option.ts';

const host = z.string().min(1).max(255).meta({ description: 'Address of an interface; `::` is all, with IPv4.' });
const port = z.number().int().min(0).max(65_535).meta({ description: 'TCP port; 0 takes a free one.' });

/** A list of `{host, port}`. */
export const addresses = (own: { host: string; port: number }[], description: string) =>
  z.array(z.strictObject({ host, port })).max(64).default(own).meta({ description });

const clientAddresses = (own: number, description: string) =>
  z
    .array(
      z.strictObject({
        host,
        port,
        proxyProtocol: flag(false, {
          description:
            'Every connection comes from a load balancer and begins with the client’s address (PROXY protocol 1 or 2); see `proxyProtocol`.',
        }),
      }),
    )
    .max(64)
    .default([{ host: '::', port: own, proxyProtocol: false }])
    .meta({ description });

export const listen = section('Where the node listens: lists of `{host, port}`, an empty list for nowhere.', {
  c2s: clientAddresses(5222, 'Clients, with STARTTLS (RFC 6120 §5).'),
  c2sTls: clientAddresses(5223, 'Clients, with TLS from the first byte (XEP-0368).'),
  s2s: addresses(
    [{ host: '::', port: 5269 }],
    'Other servers, with STARTTLS (RFC 6120 §5); in use where `federation.enabled` is on.',
  ),
  s2sTls: addresses(
    [{ host: '::', port: 5270 }],
    'Other servers, with TLS from the first byte (XEP-0368); in use where `federation.enabled` is on.',
  ),
  components: addresses(
    [{ host: '127.0.0.1', port: 5347 }],
    'External components (XEP-0114), where there are `components`. Not encrypted: keep it to the loopback interface, or to a network that nobody else listens in.',
  ),
  http: addresses([{ host: '127.0.0.1', port: 5280 }], 'Health checks and metrics.'),
  reusePort: flag(false, {
    description:
      'Other nodes on this machine, of the same cluster and the same user, may listen on the same ports for clients, other servers and components: the system spreads new connections over them. Linux and FreeBSD have that. Give each an `http` port of its own.',
  }),
  agentCheck: addresses(
    [],
    'HAProxy’s agent checks: one line to each connection says whether the node takes new clients, and how many beside the others. For load balancers only: on the loopback interface, or behind a firewall.',
  ),
});

export const network = z.union([z.cidrv4(), z.cidrv6()], {
  error: 'is not a network: write an address and a prefix length, such as 192.0.2.0/24 or 2001:db8::/32',
});

const source = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
  error: 'is neither an address nor a network: write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32',
});

export const proxyProtocol = section('Load balancers in front of listeners that have `proxyProtocol` on.', {
  trustedNetworks: z.array(source).max(1000).default([]).meta({
    live: true,
    description:
      'Addresses and networks of the load balancers. On a listener with `proxyProtocol` a connection from anywhere else is cut, and so is one of theirs that does not begin with a header.',
  }),
  headerTimeoutSeconds: seconds(5, {
    live: true,
    metric: 'proxy-header-time',
    description: 'Time for the whole header to arrive; traffic does not extend it.',
  }),
});

/** Processes that share a port have to be one server. */
export const listenProblems = (value: {
  listen?: { reusePort?: boolean } | undefined;
  keyspace?: { url?: string } | undefined;
}) =>
  value.listen?.reusePort && value.keyspace?.url?.startsWith('embedded:')
    ? [
        {
          path: ['listen', 'reusePort'],
          message: 'is for nodes on Redis: with an embedded keyspace each process would be a server of its own',
        },
      ]
    : [];
