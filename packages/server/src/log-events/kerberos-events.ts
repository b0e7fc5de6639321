import { event } from './log-event.ts';

/** Logins by Kerberos (GSSAPI). */
export const kerberosEvents = {
  'kerberos.ended': event(
    'error',
    ['reason'],
    'The process that accepts tickets has ended by itself. Logins that were under way failed; it is started again.',
    'See the reason. Where it comes again and again, take GSSAPI out of `authentication.mechanisms`, and report it.',
  ),
  'kerberos.failed': event(
    'flood',
    ['address', 'reason'],
    'A ticket could not be looked at, for a reason that lies here; the client comes again.',
    'See the reason, and `kerberos.unusable`.',
  ),
  'kerberos.ready': event('info', ['keys'], 'Tickets are accepted: GSSAPI is offered over TLS.'),
  'kerberos.refused': event(
    'flood',
    ['address', 'reason'],
    'Somebody’s ticket was not taken; the client was told `not-authorized`, and no more.',
    'See the reason. Of many it is a clock that is wrong, a key that is not in the keytab yet, or a realm that is not in `authentication.kerberos.realms`.',
  ),
  'kerberos.unusable': event(
    'error',
    ['reason'],
    'GSSAPI is among the mechanisms, but no tickets can be accepted, so it is not offered.',
    'Mend what the reason names; `parley check` tells whether it is good. A keytab that has changed is found within seconds.',
  ),
};
