import type { Client } from '@parley/server/auth/clients/client-access';

/** A client in one line, for eyes. */
export function clientLine(client: Client): string {
  const { id, connected, lastSeen, auth, restricted, software, device } = client;
  const when = connected ? 'connected' : `seen ${new Date(lastSeen).toISOString().slice(0, 16).replace('T', ' ')}`;
  const by = auth.length === 0 ? 'no access' : auth.map((each) => WORDS[each]).join(', ');
  const name = [software, device].filter((each) => each !== undefined).join(', ') || 'without a name';
  // what clients call themselves is for no terminal to obey
  return `${id}  ${when}  ${by}${restricted ? ' (normal)' : ''}  ${JSON.stringify(name)}`;
}

const WORDS: Record<Client['auth'][number], string> = {
  password: 'password',
  grant: 'OAuth',
  fast: 'token',
  other: 'certificate or the like',
};
