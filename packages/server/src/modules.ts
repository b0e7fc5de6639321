import type { Module } from './module.ts';

/** Everything that a node can do beyond streams and routing, in the order in which stanzas meet it. */
export const modules: readonly Module[] = [];
