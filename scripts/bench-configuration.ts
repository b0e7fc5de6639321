/**
 * The configuration of a server under load: one domain on loopback, registration open, nothing limited by rate or
 * number, passwords without TLS. Everything else, durability and slow readers' limits included, is as in production.
 */
export function benchConfiguration(options: { port: number; keyspace: string; durability: string; folder: string }) {
  const off = 0; // How the configuration says "no limit".
  return {
    domains: ['localhost'],
    admins: ['admin@localhost'],
    listen: {
      c2s: [{ host: '127.0.0.1', port: options.port }],
      c2sTls: [],
      http: [{ host: '127.0.0.1', port: 0 }],
    },
    tls: { required: false },
    keyspace: { url: options.keyspace, durability: options.durability },
    cluster: { secret: 'known to everybody, for measuring only' },
    authentication: { plainWithoutTls: true },
    registration: { inBand: true },
    limits: {
      connections: {
        perAddress: off,
        unauthenticatedPerAddress: off,
        newPerAddressPerMinute: off,
        unauthenticatedPercent: 100,
      },
      logins: { perSecond: off, failuresPerAddress: off, failuresPerAccountAndAddress: off },
      resumptions: { perSecond: off },
      registration: { attemptsPerHour: off, passwordChangesPerHour: off },
      sessions: { perAccount: off },
      bytes: { perSecond: off, burst: off },
      stanzas: { perSecond: off, burst: off, strangersPerHour: off },
      presence: { directedTargets: off },
      iq: { pendingPerSession: off },
      process: { heapPercent: 100, eventLoopDelayMilliseconds: 60_000 },
    },
    roster: { maxItems: off },
    offline: { maxMessages: off, maxBytes: off },
    log: { level: 'warn' },
    admin: { socket: `${options.folder}/parley.sock` },
  };
}
