import { Command } from 'commander';
import { stopSignal } from './stop-signal.ts';

/** `parley snmp`: the SNMP agent in the foreground, until it is told to stop. */
export function snmpCommand(): Command {
  return new Command('snmp')
    .description('Start the SNMP agent in the foreground. It watches the nodes; SIGTERM or Ctrl-C stops it.')
    .action(async function (this: Command) {
      // the whole agent: not for a mere --help
      const { Sidecar } = await import('@parley/snmp-agent/sidecar');
      const { DOCUMENTATION_ARC } = await import('@parley/snmp-agent/mib/xmpp-server-mib');
      const { Log } = await import('@parley/server/log');
      const { KeyspaceError } = await import('@parley/keyspace/keyspace-error');
      const { openAudit } = await import('@parley/server/audit/open-audit');
      const { version } = await import('@parley/server/version');
      const { readConfiguration } = await import('./configuration.ts');
      const { snmpSettings } = await import('./snmp-settings.ts');
      const { snmpSource } = await import('./snmp-sources.ts');
      const config = readConfiguration(this);
      const settings = snmpSettings(config, version);
      await using parts = new AsyncDisposableStack();
      const audit = openAudit(config);
      const log = Log.create({ level: config.log.level, pretty: config.log.pretty, audit });
      audit?.reportTo(log);
      parts.defer(() => log.flush());
      parts.defer(() => audit?.close());
      process.on('SIGHUP', () => audit?.reopen());
      const { read, store, ...source } = await snmpSource(config);
      parts.use(source);
      if (settings.arc.join('.') === DOCUMENTATION_ARC.join('.')) {
        log.warn('snmp.documentation-arc', {
          message:
            'The objects of XMPP-SERVER-MIB lie below a number for documentation. Set snmp.baseOid to an arc of your own.',
        });
      }
      const sidecar = await Sidecar.start({
        settings,
        store,
        read,
        isKeyspaceAway: (error) => error instanceof KeyspaceError,
        onEvent: ({ name, about }) => log.info('snmp.notification', { notification: name, about }),
        onSource(error) {
          if (error === undefined) log.info('snmp.nodes-back', { message: 'The nodes can be asked again.' });
          else log.warn('snmp.nodes-away', { error });
        },
        onRefused: (cause, address) => log.flood('snmp.refused', { cause, address }),
        onFault: (error) =>
          log.error('snmp.fault', { error: error instanceof Error ? error : new Error(String(error)) }),
        onMaster(error) {
          if (error === undefined) log.info('snmp.master-up', { message: 'The master agent takes what we tell.' });
          else log.warn('snmp.master-away', { error });
        },
        onUntold: ({ host, port }, error) => log.flood('snmp.untold', { address: host, port, error }),
      });
      parts.use(sidecar);
      log.info('snmp.started', {
        address: settings.address,
        port: sidecar.port,
        engine: sidecar.engineId,
        metrics: sidecar.pagePorts,
      });
      log.info('snmp.stopping', { signal: await stopSignal() });
    });
}
