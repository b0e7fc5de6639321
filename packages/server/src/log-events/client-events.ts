import { REFUSING_LIMITS } from './limit-refusals.ts';
import { event } from './log-event.ts';

/** Connections, streams and sessions of clients. */
export const clientEvents = {
  'client.not-recorded': event(
    'flood',
    ['account', 'message'],
    'It could not be noted that a client has logged in: the list of clients lacks it (XEP-0494).',
    'See the message: most often the keyspace.',
  ),
  'client.revoked': event(
    'info',
    ['account', 'id', 'address'],
    'A user has taken away the access of a client to their account (XEP-0494).',
    '',
    { outcome: 'success', actor: 'account', subject: 'account', reason: 'id' },
  ),
  'connection.refused': event(
    'flood',
    ['address', 'reason'],
    'A connection to a port for load balancers was closed: it is not from one, or its header was wrong.',
    'Where the address is that of a load balancer, add it to `proxyProtocol.trustedNetworks`, and have it send the header.',
    { outcome: 'failure', reason: 'reason' },
  ),
  'limit.exceeded': event(
    'flood',
    ['limit', 'address', 'account', 'from', 'component', 'remote'],
    'Somebody met a limit: an abuser, or a user for whom the limit is too narrow.',
    'Look at who it is and how often. The option of the limit is in [configuration.md](configuration.md).',
    {
      outcome: 'failure',
      actor: ['from', 'component', 'remote', 'account'],
      subject: 'account',
      reason: 'limit',
      when: { field: 'limit', is: REFUSING_LIMITS },
      kinds: 'limit',
    },
  ),
  'listener.error': event(
    'flood',
    ['listener', 'error'],
    'Connections cannot be accepted, mostly because there are no file descriptors left.',
    'Give the process more of them (`LimitNOFILE` of systemd).',
  ),
  'fast.no-token': event(
    'flood',
    ['account', 'message'],
    'A client gets no token (XEP-0484), and logs in by its password next time.',
    'See the message: the keyspace, or the source of accounts.',
  ),
  'fast.not-revoked': event(
    'error',
    ['account', 'error'],
    'The tokens of an account that has changed, or is shut, could not be removed. They prove nothing any more where it is shut.',
    'See the error; `parley account disable` and `enable` have it tried again.',
  ),
  'login.failed': event(
    'flood',
    ['address', 'mechanism', 'condition', 'account'],
    'A login failed. The account is what the client claimed, if it had come so far.',
    'Nothing for one. Many are somebody who guesses passwords: the limits slow them down; block the address where it does not stop.',
    { outcome: 'failure', actor: 'account', reason: 'condition' },
  ),
  'login.succeeded': event('debug', ['account', 'address', 'mechanism'], 'Somebody has proved who they are.', '', {
    outcome: 'success',
    actor: 'account',
    reason: 'mechanism',
  }),
  'session.bound': event(
    'info',
    ['jid', 'address', 'mechanism', 'tls'],
    'A client has logged in and has its full address.',
  ),
  'session.detached': event(
    'info',
    ['jid', 'reason'],
    'The connection of a session is gone. The session waits for its client to resume it (XEP-0198).',
  ),
  'session.moved': event('info', ['jid', 'reason'], 'Another node has the session now.'),
  'session.resumed': event(
    'info',
    ['jid', 'address', 'from', 'milliseconds'],
    'A client has resumed its session; `from` is `here`, `elsewhere` (it was on another node) or `gone` (that node is).',
  ),
  'session.silent': event('info', ['jid'], 'A client did not answer a ping; its connection is closed.'),
  'session.unbound': event('info', ['jid', 'reason'], 'A session is over.'),
  'stanza.received': event('trace', ['jid', 'component', 'server', 'xml'], 'A stanza came in.'),
  'stanza.refused': event(
    'flood',
    ['from', 'subject', 'kind', 'condition', 'text'],
    'Somebody wanted of the server what they may not do: of a domain that the policy closes, of a group, of an account.',
    'Where they should be able to, see what they were told.',
    { outcome: 'failure', actor: 'from', subject: 'subject', reason: 'condition', kinds: 'condition' },
  ),
  'stanza.sent': event('trace', ['jid', 'component', 'xml'], 'A stanza is written.'),
  'stream.error': event(
    'debug',
    ['condition', 'text', 'address', 'account'],
    'The server has ended a stream with an error.',
  ),
  'stream.fault': event(
    'error',
    ['error', 'address'],
    'A fault of the program, in what a stream does. The stream has ended; nobody else feels it.',
    'Report it, with the stack.',
  ),
  'tls.failed': event(
    'flood',
    ['address', 'reason'],
    'A TLS handshake failed: an old client, one that does not trust the certificate, or a scanner.',
    'Where users cannot connect, look at the certificate and at `tls.minVersion`.',
  ),
} as const;
