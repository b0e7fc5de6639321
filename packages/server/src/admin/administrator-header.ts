/**
 * Who gives the command, percent-encoded, as `parley` says it. Nobody has to prove it: whoever can open the socket may do
 * everything anyway.
 */
export const ADMINISTRATOR_HEADER = 'x-parley-administrator';
