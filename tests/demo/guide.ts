/** What docs/evaluation.md has somebody do, in its order; a comment at its top tells how it says so. */
export type Step =
  /** At the terminal where nothing stays in the foreground. */
  | { readonly does: 'run'; readonly command: string; readonly input: string; readonly installs: boolean }
  /** At a terminal of its own, where it stays. */
  | { readonly does: 'start'; readonly command: string; readonly terminal: string }
  | { readonly does: 'expect'; readonly text: string; readonly terminal?: string }
  /** The command before is given until it prints that. */
  | { readonly does: 'repeat'; readonly text: string }
  | { readonly does: 'interrupt'; readonly terminal: string };

const PART = /^<!-- (.+) -->$|^```(\w*)\n([\s\S]*?)^```$/gm;

export function stepsOf(guide: string): Step[] {
  const steps: Step[] = [];
  let before = ''; // the comment in front of the next block
  for (const [, comment, language, code] of guide.matchAll(PART)) {
    if (comment === undefined) {
      if (language === 'sh') steps.push(...block(code?.trim() ?? '', before));
      before = '';
      continue;
    }
    const after = afterwards(comment);
    if (after === undefined) before = comment;
    else steps.push(after);
  }
  return steps;
}

function block(command: string, comment: string): Step[] {
  if (comment.startsWith('by hand')) return [];
  const [, terminal] = /^in another terminal: (\w+)$/.exec(comment) ?? [];
  if (terminal !== undefined) return [{ does: 'start', command, terminal }];
  const [, input = ''] = /^types: (\w+)$/.exec(comment) ?? [];
  if (!['', 'packages'].includes(comment) && input === '') throw new Error(`Nobody knows what this means: ${comment}`);
  return [{ does: 'run', command, input, installs: comment === 'packages' }];
}

function afterwards(comment: string): Step | undefined {
  const [, interrupted] = /^Ctrl-C in (\w+)$/.exec(comment) ?? [];
  if (interrupted !== undefined) return { does: 'interrupt', terminal: interrupted };
  const [, terminal, text] = /^(?:(\w+) )?shows: (.+)$/.exec(comment) ?? [];
  if (text === undefined) return undefined;
  if (terminal === 'soon') return { does: 'repeat', text };
  return terminal === undefined ? { does: 'expect', text } : { does: 'expect', text, terminal };
}
