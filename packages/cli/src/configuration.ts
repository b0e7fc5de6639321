import { existsSync } from 'node:fs';
import { loadConfiguration } from '@parley/server/config/load';
import type { Configuration } from '@parley/server/config/schema';
import { unreadSecret } from '@parley/server/config/secret-files';
import { moduleSettings } from '@parley/server/module';
import { modules } from '@parley/server/modules';
import type { Command } from 'commander';

/** Files that are taken where none is named. */
export const USUAL: readonly string[] = ['parley.yaml', 'parley.yml', 'parley.json'];

/** The file that holds the configuration: given, or the usual one in this folder; undefined for the defaults alone. */
export function configurationFile(command: Command): string | undefined {
  const { config } = command.optsWithGlobals<{ config?: string }>();
  return config ?? process.env.PARLEY_CONFIG ?? USUAL.find((name) => existsSync(name));
}

/** Reads and checks the configuration. Throws a ConfigurationError with everything that is wrong. */
export function readConfiguration(command: Command): Configuration {
  return loadConfiguration({ file: configurationFile(command), modules: moduleSettings(modules) });
}

/**
 * Where the running node listens for administrators. No secret is read for that: systemd hands them to the node
 * (LoadCredential=), and some versions of it to none of the commands beside it (ExecStartPost=, ExecReload=).
 */
export function nodeSocket(command: Command): string {
  const options = { file: configurationFile(command), modules: moduleSettings(modules), readSecret: unreadSecret };
  return loadConfiguration(options).admin.socket;
}
