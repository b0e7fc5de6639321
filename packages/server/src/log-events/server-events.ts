import { event } from './log-event.ts';

/** Other servers, and external components. */
export const serverEvents = {
  'component.connected': event(
    'info',
    ['component', 'instance', 'address'],
    'An instance of an external component is there.',
    '',
    { outcome: 'success', actor: 'component' },
  ),
  'component.disconnected': event(
    'info',
    ['component', 'instance', 'reason', 'unsent'],
    'An instance of a component is gone. What it had not been sent goes to another one, or back.',
  ),
  'component.error': event(
    'warn',
    ['component', 'instance', 'condition', 'text'],
    'The server has ended the stream of a component.',
    'See the condition: a fault of the component, or one instance too many.',
    { outcome: 'failure', actor: 'component', reason: 'condition', byOthers: true },
  ),
  'component.fault': event(
    'error',
    ['error', 'component'],
    'A fault of the program, in what it does for a component.',
    'Report it, with the stack.',
  ),
  'component.refused': event(
    'flood',
    ['component', 'address', 'condition', 'text'],
    'Somebody connected as a component and was refused: a wrong secret, or no such component.',
    'Compare `components` with the settings of the component.',
    { outcome: 'failure', actor: 'component', reason: 'condition' },
  ),
  's2s.accepted': event(
    'info',
    ['remote', 'local', 'address', 'mechanism', 'tls'],
    'Another server has connected, and has proved that it speaks for this domain.',
    '',
    { outcome: 'success', actor: 'remote', subject: 'local', reason: 'mechanism', byOthers: true },
  ),
  's2s.close-ordered': event(
    'info',
    ['remote', 'closed', 'by'],
    'An administrator has closed the streams to and from a domain.',
    '',
    { outcome: 'success', actor: 'by', subject: 'remote' },
  ),
  's2s.closed': event('info', ['local', 'remote', 'sent', 'reason'], 'A stream to another server is over.'),
  's2s.connect-ordered': event(
    'info',
    ['remote', 'by'],
    'An administrator has this server connect to a domain at once.',
    '',
    { outcome: 'success', actor: 'by', subject: 'remote' },
  ),
  's2s.connected': event(
    'info',
    ['local', 'remote', 'address', 'port', 'encryption', 'tookUsBy', 'tookThemBy', 'stream'],
    'There is a stream to another server, proved on both sides.',
  ),
  's2s.failed': event(
    'flood',
    ['local', 'remote', 'step', 'message', 'retrySeconds'],
    'Another server could not be reached. What is for it waits, and it is tried again.',
    '`parley s2s explain` with the domain tells each step.',
    // elsewhere the other side does not work, or refuses us
    {
      outcome: 'failure',
      actor: 'remote',
      subject: 'local',
      reason: 'message',
      when: { field: 'step', is: ['policy', 'certificate'] },
    },
  ),
  's2s.fault': event(
    'error',
    ['error', 'local', 'remote'],
    'A fault of the program, while connecting to another server.',
    'Report it, with the stack.',
  ),
  's2s.forged': event(
    'flood',
    ['remote', 'local', 'address'],
    'Somebody claimed to be a domain whose server knows nothing of it (dialback).',
    'Nothing for one. Block the address where it does not stop.',
    { outcome: 'failure', actor: 'remote', subject: 'local' },
  ),
  's2s.left': event(
    'info',
    ['remote', 'others', 'address', 'received', 'reason'],
    'A stream that another server began is over.',
  ),
  's2s.refused': event(
    'flood',
    ['remote', 'local', 'address', 'condition', 'reason'],
    'Another server was refused: by the policy, or because it could not be found out whether it is who it says.',
    'Where the partner should come in, see the reason; `parley s2s explain` tries the other direction.',
    { outcome: 'failure', actor: 'remote', subject: 'local', reason: 'reason' },
  ),
  's2s.restored': event('info', ['queues'], 'What the process before this one left for other servers goes on.'),
  's2s.resumed': event(
    'info',
    ['remote', 'local', 'from', 'handled'],
    'Another server has resumed its stream (XEP-0198).',
  ),
  's2s.unproved': event(
    'flood',
    ['remote', 'reason'],
    'The certificate of another server proves nothing, by DANE or POSH either. Dialback may do.',
    'See the reason, where the policy wants certificates.',
  ),
} as const;
