import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { SecureContext } from 'node:tls';
import type { Configuration } from '../config/schema.ts';
import { trustIn } from '../net/dial.ts';
import { Audit, type AuditWay } from './audit.ts';
import type { AuditEntry } from './audit-entry.ts';
import { auditLine } from './audit-line.ts';
import { AuditRefused } from './audit-refused.ts';
import { DatagramSink } from './datagram-sink.ts';
import { FileSink } from './file-sink.ts';
import { LoggerSink } from './logger-sink.ts';
import { StreamSink } from './stream-sink.ts';
import { localMessage, octetCounted, syslogMessage } from './syslog-message.ts';

/** Ports that IANA has registered for syslog: RFC 5426 §3.3, RFC 6587 §3.2, RFC 5425 §4.1. */
const PORTS = { udp: 514, tcp: 601, tls: 6514 } as const;
/** The number in an arc that IANA has given to an organisation. */
const ENTERPRISE = /^\.?1\.3\.6\.1\.4\.1\.(\d+)/;
/** RFC 5612 */
const DOCUMENTATION = '32473';

/** The audit stream as it is configured; undefined where it is switched off. Throws an AuditRefused. */
export function openAudit(config: Configuration): Audit | undefined {
  const ways = [...fileWay(config), ...syslogWay(config)];
  if (ways.length === 0) return undefined;
  const { perSecond, maxWaitingBytes } = config.audit;
  return new Audit({ node: config.cluster.name || hostname(), ways, perSecond, maxWaitingBytes });
}

function fileWay({ audit }: Configuration): AuditWay[] {
  const { file } = audit;
  if (file === undefined) return [];
  try {
    return [{ where: file, sink: new FileSink(file), format: auditLine }];
  } catch (error) {
    throw new AuditRefused(`The audit file ${file} cannot be opened: ${(error as Error).message}. See audit.file.`);
  }
}

function syslogWay({ audit, snmp }: Configuration): AuditWay[] {
  const { transport, host, port, socket, facility } = audit.syslog;
  if (transport === 'none') return [];
  const enterprise = ENTERPRISE.exec(snmp.baseOid)?.[1] ?? DOCUMENTATION;
  const settings = { facility, hostname: hostname(), enterprise };
  if (transport === 'socket') {
    const format = (entry: AuditEntry) => Buffer.from(`${localMessage(entry, settings)}\n`, 'latin1');
    return [{ where: socket, sink: new LoggerSink(socket), format }];
  }
  const to = port === 0 ? PORTS[transport] : port;
  const where = `${host} port ${to}`;
  if (transport === 'udp') {
    const format = (entry: AuditEntry) => Buffer.from(syslogMessage(entry, settings), 'latin1');
    return [{ where, sink: new DatagramSink(host, to), format }];
  }
  const secure = transport === 'tls' ? secureContext(audit.syslog) : undefined;
  const format = (entry: AuditEntry) => octetCounted(syslogMessage(entry, settings));
  return [{ where, sink: new StreamSink({ host, port: to, secure }), format }];
}

function secureContext({ authorities, certificate, key }: Configuration['audit']['syslog']): SecureContext {
  try {
    const read = (file: string) => readFileSync(file, 'utf8');
    const own = certificate && key ? { cert: read(certificate), key: read(key) } : undefined;
    return trustIn(authorities && read(authorities), own);
  } catch (error) {
    throw new AuditRefused(`The certificates of audit.syslog are not good: ${(error as Error).message}.`);
  }
}
