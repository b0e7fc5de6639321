import type { ModuleSettings } from './config/schema.ts';
import type { Module } from './module.ts';

/** Everything that a node can do beyond streams and routing, in the order in which stanzas meet it. */
export const modules: readonly Module[] = [];

/** What modules bring into the configuration. */
export const moduleSettings = (list: readonly Module[] = modules): ModuleSettings[] =>
  list.map(({ name, description, enabled, options }) => ({ name, description, enabled, schema: options }));
