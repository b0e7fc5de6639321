import type * as z from 'zod';
import { printable } from '../printable.ts';
import { nearest } from './nearest.ts';
import { child, type OptionSchema, pathText } from './option-schema.ts';

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** Where, in the words of the file (`listen.c2s[0].port`), or the variable or file itself; '' for the whole. */
  path: string;
  /** What is wrong, to be read behind the path. */
  problem: string;
  /** What to write instead. */
  cure: string;
}

/** Thrown with everything that is wrong with a configuration; its message is for the operator's eyes. */
export class ConfigurationError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.map(({ path, problem, cure }) => `  ${path || 'configuration'} ${problem}: ${cure}`);
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    super(`The configuration has ${count}:\n${lines.map(printable).join('\n')}`);
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

/** The problems behind what zod found in `input`. Values of secrets are never part of them. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], input: unknown, root: OptionSchema): Problem[] {
  return issues.flatMap((issue) => {
    const option = issue.path.reduce<OptionSchema | undefined>(child, root);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey([...issue.path, key], key, option));
    }
    return [{ path: pathText(issue.path), ...explain(issue, valueAt(input, issue.path), option) }];
  });
}

export function unknownKey(path: readonly PropertyKey[], key: string, option: OptionSchema | undefined): Problem {
  const known = Object.keys(option?.properties ?? {});
  const guess = nearest(key, known);
  const list = known.length === 0 ? 'nothing can stand here' : `what can stand here is ${known.join(', ')}`;
  return {
    path: pathText([...path.slice(0, -1), key.slice(0, 100)]),
    problem: 'is not an option',
    cure: guess === undefined ? `leave it out; ${list}` : `did you mean ${guess}?`,
  };
}

function explain(issue: z.core.$ZodIssue, value: unknown, option: OptionSchema | undefined): Omit<Problem, 'path'> {
  if (issue.code === 'custom' || issue.code === 'invalid_union' || issue.code === 'invalid_format') {
    // Our own messages: what is wrong, a colon, what to write instead.
    const [problem = '', ...cure] = issue.message.split(': ');
    return { problem, cure: cure.length === 0 ? wanted(option) : cure.join(': ') };
  }
  if (value === undefined) return { problem: 'is missing', cure: wanted(option) };
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const guess = nearest(value, issue.values.map(String));
    return {
      problem: `is ${shown(value, option)}`,
      cure: wanted(option) + (guess === undefined ? '' : `; did you mean ${guess}?`),
    };
  }
  if ((issue.code === 'too_small' || issue.code === 'too_big') && issue.origin !== 'number') {
    const size = (value as { length?: number }).length ?? 0;
    const unit = issue.origin === 'array' ? 'entries' : 'characters';
    return { problem: `has ${size} ${unit}`, cure: wanted(option) };
  }
  return { problem: `is ${shown(value, option)}`, cure: wanted(option) + example(value, option) };
}

/** Where a list was wanted and its only entry is written: that one as a list. */
function example(value: unknown, option: OptionSchema | undefined): string {
  if (typeof value !== 'string' || value.length > 50 || option?.type !== 'array') return '';
  const text = option.items?.type === 'string' || option.items?.shorthand !== undefined;
  return text ? `, such as [${shown(value, option)}]` : '';
}

/** A value in a message: short, printable, and not a secret. */
function shown(value: unknown, option: OptionSchema | undefined): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a group of options';
  if (option?.secret) return 'not right';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** What an option takes, to stand behind a colon. */
export function wanted(option: OptionSchema | undefined): string {
  if (option === undefined) return 'leave it out';
  if (option.enum) return `write ${option.enum.length === 1 ? '' : 'one of '}${option.enum.join(', ')}`;
  switch (option.type) {
    case 'boolean':
      return 'write true or false';
    case 'integer':
    case 'number':
      return `write a whole number${range(option.minimum, option.maximum)}`;
    case 'string':
      return `write text${range(option.minLength, option.maxLength, ' characters')}`;
    case 'array':
      return `write a list${range(option.minItems, option.maxItems, ' entries')}`;
    default:
      return `write a group of options: ${Object.keys(option.properties ?? {}).join(', ')}`;
  }
}

function range(least = 0, most = Number.MAX_SAFE_INTEGER, unit = ''): string {
  const open = most === Number.MAX_SAFE_INTEGER;
  if (unit === '') return open ? `, ${least} or more` : ` from ${least} to ${most}`;
  if (open) return least === 0 ? '' : ` of ${least} or more${unit}`;
  return least === 0 ? ` of at most ${most}${unit}` : ` of ${least} to ${most}${unit}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
