import type { LimitName } from '@parley/metrics/catalogue';
import * as z from 'zod';

/** What every option says about itself beside its type and default; the documents and the reload read it. */
export interface About {
  /** One or two plain sentences for an operator. */
  description: string;
  /** True where a reload applies a change at once; otherwise it waits for a restart. */
  live?: boolean;
  /** Where it is a limit: the value of the label `limit` under which the metrics count who exceeds it. */
  metric?: LimitName;
  min?: number;
  max?: number;
}

declare module 'zod' {
  interface GlobalMeta {
    live?: boolean;
    metric?: LimitName;
    /** For the documents: `s`, `ms`, `B`, `%`. */
    unit?: string;
    /** A secret: never shown, and `<name>File` may name a file that holds it. */
    secret?: boolean;
    /** A path: relative ones start at the directory of the configuration file. */
    path?: boolean;
    /** An object that may be written as this one property alone. */
    shorthand?: string;
    /** Of a list: its entries are told apart by their `name`, so that each of their options may be live. */
    named?: boolean;
  }
}

/** The longest time that fits a timer of Node (2^31 - 1 milliseconds), in seconds. */
const LONGEST_SECONDS = 2_147_483;

const whole = (about: About, min: number) =>
  z
    .number()
    .int()
    .min(about.min ?? min)
    .max(about.max ?? Number.MAX_SAFE_INTEGER);

const meta = (about: About, unit?: string) => ({
  description: about.description,
  live: about.live ?? false,
  ...(about.metric === undefined ? {} : { metric: about.metric }),
  ...(unit === undefined ? {} : { unit }),
});

/** A whole number. */
export const count = (fallback: number, about: About) => whole(about, 1).default(fallback).meta(meta(about));

/** A size in bytes. */
export const bytes = (fallback: number, about: About) => whole(about, 1).default(fallback).meta(meta(about, 'B'));

/** A time in whole seconds. */
export const seconds = (fallback: number, about: About) =>
  whole({ max: LONGEST_SECONDS, ...about }, 1)
    .default(fallback)
    .meta(meta(about, 's'));

export const milliseconds = (fallback: number, about: About) =>
  whole({ max: LONGEST_SECONDS * 1000, ...about }, 1)
    .default(fallback)
    .meta(meta(about, 'ms'));

export const percent = (fallback: number, about: About) =>
  whole({ max: 100, ...about }, 1)
    .default(fallback)
    .meta(meta(about, '%'));

/** A number or a rate that 0 switches off; whoever reads it finds Infinity then and needs no special case. */
export const limit = (fallback: number, about: About, unit?: 'B') =>
  whole(about, 0)
    .transform((value) => (value === 0 ? Number.POSITIVE_INFINITY : value))
    .prefault(fallback)
    .meta(meta({ ...about, description: `${about.description} 0 means no limit.` }, unit));

export const flag = (fallback: boolean, about: About) => z.boolean().default(fallback).meta(meta(about));

export const choice = <const T extends readonly [string, ...string[]]>(values: T, fallback: T[number], about: About) =>
  z.enum(values).default(fallback).meta(meta(about));

/** A path of a file; no default. */
export const file = (about: About) =>
  z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .meta({ ...meta(about), path: true });

/** A secret of at least `min` characters; put `secretFile` beside it, named with `File` behind. */
export const secret = (about: About) =>
  z
    .string()
    .min(about.min ?? 1)
    .max(4096)
    .optional()
    .meta({ ...meta(about), secret: true });

export const secretFile = (name: string, { live = false } = {}) =>
  file({ live, description: `A file that holds \`${name}\`, in its place.` });

/** A group of options. An unknown key in it is an error; a missing group takes all its defaults. */
export const section = <T extends z.core.$ZodLooseShape>(description: string, shape: T) =>
  z
    .strictObject(shape)
    .prefault({} as never)
    .meta({ description });
