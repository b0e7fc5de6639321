import { event } from './log-event.ts';

/** The process itself, its HTTP ports, and the SNMP agent. */
export const nodeEvents = {
  'administration.refused': event(
    'warn',
    ['act', 'subject', 'by', 'reason'],
    'An administrator wanted what could not be done.',
    '',
    { outcome: 'failure', actor: 'by', subject: 'subject', reason: 'reason' },
  ),
  'audit.away': event(
    'error',
    ['where', 'error', 'message'],
    'The audit stream cannot be written. Entries wait, and are dropped and counted where too many do.',
    'See the error: the disk, or the syslog server.',
  ),
  'audit.back': event(
    'warn',
    ['where', 'lost'],
    'The audit stream is written again; so many entries are missing in it.',
  ),
  'configuration.refused': event(
    'error',
    ['error', 'by'],
    'A configuration that was to be read again is not good. Nothing of it is in force; the one before is.',
    'Correct what it says; `parley check` tells all of it.',
    { outcome: 'failure', actor: 'by', reason: 'error' },
  ),
  'configuration.reloaded': event(
    'info',
    ['live', 'restart', 'by'],
    'The configuration and the certificates were read again.',
    'Restart where `restart` names options.',
    { outcome: 'success', actor: 'by', reason: 'live' },
  ),
  'http.error': event(
    'flood',
    ['error'],
    'The HTTP port cannot accept connections, mostly because there are no file descriptors left.',
    'Give the process more of them.',
  ),
  'http.failed': event(
    'error',
    ['method', 'path', 'error'],
    'A fault of the program, in what it does for an HTTP request.',
    'Report it, with the stack.',
  ),
  'node.accepting': event('info', ['sessions', 'by'], 'Draining was cancelled: the node takes clients in again.', '', {
    outcome: 'success',
    actor: 'by',
  }),
  'node.died': event(
    'fatal',
    ['error'],
    'A fault of the program that nobody caught. The process ends; what it had acknowledged is kept.',
    'Report it, with the stack. The service manager starts the node again.',
    { outcome: 'failure', reason: 'error' },
  ),
  'node.draining': event('info', ['sessions', 'by'], 'The node was told to hand its sessions over to the others.', '', {
    outcome: 'success',
    actor: 'by',
  }),
  'node.fault': event('error', ['error'], 'A fault of the program. The node goes on.', 'Report it, with the stack.'),
  'node.fenced': event(
    'error',
    ['message'],
    'Other nodes gave this one up, since it was silent for too long. It lets go of everything and starts anew.',
    'Look why it stood still: memory, processor, the network to Redis.',
  ),
  'node.rejoin-failed': event(
    'error',
    ['error'],
    'The node was given up by the others and could not start anew; it tries again.',
    'See the error.',
  ),
  'node.rejoined': event('warn', ['message'], 'The node has started anew, and is one of the cluster again.'),
  'node.stopping': event('info', ['signal'], 'The node was told to stop.', '', {
    outcome: 'success',
    reason: 'signal',
  }),
  'node.unreported': event(
    'error',
    ['error'],
    'A fault of the program, in telling the SNMP agent how the node is.',
    'Report it, with the stack.',
  ),
  'revocations.refused': event(
    'error',
    ['error', 'message'],
    'Revocation lists have changed and are not good. Those read before stay in force.',
    'Correct the file.',
  ),
  'server.started': event('info', ['node', 'domains', 'listeners'], 'The node is there, and listens.', '', {
    outcome: 'success',
    subject: 'node',
  }),
  'snmp.documentation-arc': event(
    'warn',
    ['message'],
    'The objects of XMPP-SERVER-MIB lie below a number that is for documentation.',
    'Set `snmp.baseOid` to an arc of your own.',
  ),
  'snmp.fault': event('error', ['error'], 'A fault of the program, in the SNMP agent.', 'Report it, with the stack.'),
  'snmp.master-away': event(
    'warn',
    ['error'],
    'The master agent (AgentX) cannot be reached; it is tried again.',
    'Look at snmpd, and at `snmp.agentx`.',
  ),
  'snmp.master-up': event('info', ['message'], 'The master agent takes what the subagent tells.'),
  'snmp.nodes-away': event(
    'warn',
    ['error'],
    'The SNMP agent cannot ask how the nodes are.',
    'Look at the keyspace; beside an embedded node, whether that runs.',
  ),
  'snmp.nodes-back': event('info', ['message'], 'The nodes can be asked again.'),
  'snmp.notification': event(
    'info',
    ['notification', 'about'],
    'Managers are told of something.',
    '[monitoring.md](monitoring.md#a-notification-when-a-node-is-gone) says what each is.',
  ),
  'snmp.refused': event(
    'flood',
    ['cause', 'address'],
    'Somebody asked the SNMP agent who may not.',
    'See [monitoring.md](monitoring.md#when-it-does-not-answer).',
    { outcome: 'failure', reason: 'cause' },
  ),
  'snmp.started': event(
    'info',
    ['address', 'port', 'engine', 'metrics'],
    'The SNMP agent answers. Managers that take traps of SNMPv3 have to know the engine.',
  ),
  'snmp.stopping': event('info', ['signal'], 'The SNMP agent was told to stop.'),
  'snmp.untold': event(
    'flood',
    ['address', 'port', 'error'],
    'A manager has not acknowledged an inform.',
    'Look whether it runs, and at `snmp.targets`.',
  ),
} as const;
