import type { LimitName } from '@parley/metrics/catalogue';
import * as z from 'zod';
import { configurationSchema, type ModuleSettings } from './schema.ts';

/** One option or group of options, as the environment, the reload, the messages and the documents see it. */
export interface OptionSchema {
  type?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, OptionSchema>;
  required?: string[];
  items?: OptionSchema;
  anyOf?: OptionSchema[];
  enum?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
  additionalProperties?: boolean;
  live?: boolean;
  metric?: LimitName;
  unit?: string;
  secret?: boolean;
  path?: boolean;
  shorthand?: string;
  named?: boolean;
}

/** The tree of all options, with those of these modules. */
export const optionSchema = (modules: readonly ModuleSettings[] = []): OptionSchema =>
  z.toJSONSchema(configurationSchema(modules), { io: 'input', target: 'draft-2020-12' }) as OptionSchema;

/** The child that `key` names, of a group or of a list. Only own keys count: the key comes from outside. */
export function child(option: OptionSchema | undefined, key: PropertyKey): OptionSchema | undefined {
  if (typeof key === 'number') return option?.items;
  const { properties } = option ?? {};
  return properties && typeof key === 'string' && Object.hasOwn(properties, key) ? properties[key] : undefined;
}

/** A path in the words of the file: `listen.c2s[0].port`. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );

/** The JSON Schema for editors and charts: what the file may hold, without what only this program reads. */
export function publicSchema(modules: readonly ModuleSettings[] = []): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of Parley',
    ...(publicOption(optionSchema(modules)) as Record<string, unknown>),
  };
}

/** One option of it. */
export function publicOption(option: OptionSchema): unknown {
  const { live, metric, unit, secret, path, shorthand, named, properties, items, anyOf, ...rest } = option;
  const standard = {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, publicOption(value)])),
    }),
    ...(items && { items: publicOption(items) }),
    ...(anyOf && { anyOf: anyOf.map(publicOption) }),
  };
  const short = shorthand === undefined ? undefined : child(option, shorthand);
  if (short === undefined) return standard;
  const { description, default: fallback, ...object } = standard;
  return {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    anyOf: [publicOption(short), object],
  };
}
