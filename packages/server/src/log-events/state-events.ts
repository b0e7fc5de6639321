import { event } from './log-event.ts';

/** The keyspace, the cluster, and sessions that outlive their connection or their node. */
export const stateEvents = {
  'cluster.damaged': event(
    'error',
    ['from', 'error'],
    'What another node sent cannot be read. It is sent again, or missed and had later.',
    'Look whether all nodes have a version that goes together, and the same `cluster.secret`.',
  ),
  'cluster.deaf': event(
    'error',
    ['message'],
    'Redis takes what this node tells all others and brings none of it back. The node connects anew.',
    'Where it comes again, look at Redis and at what lies between.',
  ),
  'cluster.gone': event(
    'warn',
    ['node', 'id', 'how'],
    'A node has left, or was silent for too long. Others take over its sessions.',
    'Where nobody stopped it, look at its machine and its log.',
  ),
  'cluster.joined': event('info', ['node', 'id'], 'A node is one of the cluster.'),
  'cluster.unread': event(
    'info',
    ['from', 'version'],
    'A node of a newer version did not know yet of this one. What it said then is had later.',
  ),
  'journal.fault': event(
    'error',
    ['error'],
    'It could not be looked whether all stanzas of the journals are accounted for.',
    'Report it, with the stack.',
  ),
  'journal.unaccounted': event(
    'error',
    ['partition', 'kind', 'stanzas', 'message'],
    'The journals of a partition have not got, or got too often, what they are known to have been given.',
    'Look whether something else writes into the keyspace, or whether it lost data; else report it.',
  ),
  'keyspace.changed': event(
    'warn',
    ['message', 'sessions'],
    'Redis was started again, or a replica took its place: its newest writes may be missing. This node writes its sessions anew.',
    'Look why. `keyspace.replicas` keeps acknowledged writes through that.',
  ),
  'keyspace.down': event(
    'error',
    ['message'],
    'The keyspace does not answer, or takes no writes. Messages wait, and nobody can log in.',
    'See the message: Redis, the network, or the disk.',
  ),
  'keyspace.failed': event(
    'flood',
    ['message'],
    'Something could not be done, since the keyspace failed.',
    'Look for `keyspace.down`.',
  ),
  'keyspace.swept': event(
    'info',
    ['sessions'],
    'After Redis may have lost writes: what it has of the sessions of this node is right again.',
  ),
  'keyspace.up': event('warn', ['message'], 'The keyspace answers again.'),
  'keyspace.warning': event(
    'warn',
    ['message'],
    'The keyspace is set up in a way that can lose data, or soon cannot go on.',
    'As the message says.',
  ),
  'resumption.damaged': event(
    'error',
    ['account', 'error'],
    'What is kept of a session that can be resumed cannot be read. That session is over.',
    'Report it.',
  ),
  'resumption.fault': event(
    'error',
    ['error'],
    'A fault of the program, in what keeps sessions resumable.',
    'Report it, with the stack.',
  ),
  'resumption.restored': event(
    'info',
    ['sessions'],
    'Sessions that the process before this one left wait for their clients.',
  ),
  'resumption.unreadable': event(
    'error',
    ['message', 'error'],
    'What the keyspace has of a session cannot be read. Messages for it go elsewhere, as if it were over.',
    'Report it; look whether something else writes into the keyspace.',
  ),
  'resumption.waits': event(
    'info',
    ['message'],
    'After Redis may have lost writes: another node takes long to say which sessions it has.',
    'Where it stays so, look at that node.',
  ),
} as const;
