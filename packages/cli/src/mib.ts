import { Command } from 'commander';
import { Usage } from './exit.ts';

/** `parley mib`: the text of XMPP-SERVER-MIB, for managers. */
export function mibCommand(): Command {
  return new Command('mib')
    .description('Print the text of XMPP-SERVER-MIB, which SNMP managers need to show its objects by name.')
    .option('-b, --base <oid>', 'the arc below which it lies (default: snmp.baseOid of the configuration)')
    .action(async function (this: Command) {
      const { mibText } = await import('@parley/snmp-agent/mib/mib-text');
      const { xmppServerMib } = await import('@parley/snmp-agent/mib/xmpp-server-mib');
      const { parseOid } = await import('@parley/snmp-agent/protocol/oid');
      const { readConfiguration } = await import('./configuration.ts');
      const { base = readConfiguration(this).snmp.baseOid } = this.opts<{ base?: string }>();
      try {
        process.stdout.write(`${mibText(xmppServerMib, parseOid(base))}\n`);
      } catch (error) {
        if (error instanceof RangeError) throw new Usage(`--base: ${error.message}`);
        throw error;
      }
    });
}
