/** A line of JSON as a line for eyes: `05:12:31 info  session.bound jid=romeo@montague.lit/garden`. */
export function prettyLine(line: string): string {
  const { level, time, event, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const words = Object.entries(fields).flatMap(([name, value]) => pretty(name, value));
  const stack = Object.values(fields).flatMap((value) => stackOf(value));
  const first = `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${[event, ...words].join(' ')}`;
  return `${[first, ...stack.map((frame) => `    ${frame}`)].join('\n')}\n`;
}

function pretty(name: string, value: unknown): string[] {
  if (typeof value === 'string') return [`${name}=${/^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)}`];
  if (stackOf(value).length > 0) {
    const { stack: _, ...rest } = value as Record<string, unknown>;
    return [`${name}=${JSON.stringify(rest)}`];
  }
  return [`${name}=${JSON.stringify(value)}`];
}

const stackOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null && 'stack' in value && Array.isArray(value.stack) ? value.stack : [];
