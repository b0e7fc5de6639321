#!/usr/bin/env node
import { version } from '@parley/server/version';
import { Command, CommanderError } from 'commander';
import { accountCommand } from './account.ts';
import { backupCommand } from './backup.ts';
import { checkCommand } from './check.ts';
import { directoryCommand } from './directory.ts';
import { drainCommand } from './drain.ts';
import { EXIT, report } from './exit.ts';
import { exportCommand } from './export.ts';
import { healthCommand } from './health.ts';
import { importCommand } from './import.ts';
import { mibCommand } from './mib.ts';
import { reloadCommand } from './reload.ts';
import { restoreCommand } from './restore.ts';
import { s2sCommand } from './s2s.ts';
import { snmpCommand } from './snmp.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { tryCommand } from './try.ts';

const program = new Command('parley')
  .description('An XMPP instant messaging and presence server.')
  .version(version)
  .option('-c, --config <file>', 'the configuration, YAML or JSON (default: $PARLEY_CONFIG, else all defaults)')
  .showHelpAfterError('(parley --help shows what there is)')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    `
Exit codes: ${EXIT.done} done, ${EXIT.failed} failed, ${EXIT.usage} wrong usage or configuration, ${EXIT.unreachable} no node can be reached.`,
  )
  .exitOverride();

const commands = [
  startCommand,
  checkCommand,
  accountCommand,
  exportCommand,
  importCommand,
  backupCommand,
  restoreCommand,
  directoryCommand,
  s2sCommand,
  statusCommand,
  healthCommand,
  tryCommand,
  reloadCommand,
  drainCommand,
  snmpCommand,
  mibCommand,
];
for (const command of commands) {
  program.addCommand(inherit(command(), program));
}

/** Has a command, and those below it, show help and end as their parent does. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const below of command.commands) inherit(below, command);
  return command;
}

try {
  await program.parseAsync();
} catch (error) {
  // help and version come as errors, too
  process.exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? EXIT.done : EXIT.usage) : report(error);
}
