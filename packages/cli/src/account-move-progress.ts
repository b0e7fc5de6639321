import type { AccountMoveProgress } from '@parley/server/admin/account-administration';

/** Says how far a move has come, each time that there is something new to say. */
export async function tellMove(
  steps: AsyncIterable<AccountMoveProgress>,
  from: string,
  to: string,
  say: (line: string) => void,
): Promise<void> {
  let said = '';
  for await (const step of steps) {
    const line = inWords(step, from, to);
    if (line !== said) say(line);
    said = line;
  }
}

function inWords({ step, contacts: [done, all], trouble }: AccountMoveProgress, from: string, to: string): string {
  if (trouble !== '') return `It does not go on: ${trouble}. It is tried again; the log of the node says more.`;
  switch (step) {
    case 'reserve':
    case 'lock':
    case 'take':
      return `${from} is being logged out.`;
    case 'adopt':
      return `What is kept of ${from} goes to ${to}.`;
    case 'contacts':
      return `Contacts get the new address: ${all === 0 ? 'begun' : `${done} of ${all}`}.`;
    case 'open':
    case 'drop':
      return `${to} is being opened.`;
    case 'done':
      return `${from} is ${to} now.`;
  }
}
