import { readFileSync } from 'node:fs';
import type { Registry } from '@parley/metrics/registry';
import { ConfigurationError } from './config/problem.ts';
import type { Configuration } from './config/schema.ts';
import type { Log } from './log.ts';
import { machineAuthorities } from './net/machine-authorities.ts';
import { Tracing } from './tracing/tracing.ts';
import { version } from './version.ts';

export interface TelemetryParts {
  readonly config: Configuration;
  readonly registry: Registry;
  readonly log: Log;
  /** What the node is called. */
  readonly name: string;
}

/** What a collector of OpenTelemetry is told of this node. */
export interface NodeTelemetry extends AsyncDisposable {
  readonly tracing: Tracing;
  /** Takes over what a reload can change. */
  take(config: Configuration): void;
}

/** Starts it; undefined where the configuration names no collector: then nothing of OpenTelemetry is loaded. */
export async function startTelemetry(parts: TelemetryParts): Promise<NodeTelemetry | undefined> {
  const { opentelemetry } = parts.config;
  if (opentelemetry.endpoint === '') return undefined;
  const { Telemetry } = await import('@parley/opentelemetry/telemetry');
  const telemetry = new Telemetry(optionsFor(parts));
  const tracing = new Tracing(telemetry.spans, opentelemetry.traces.ratio);
  return {
    tracing,
    take(config) {
      tracing.ratio = config.opentelemetry.traces.ratio;
    },
    async [Symbol.asyncDispose]() {
      tracing[Symbol.dispose]();
      await telemetry[Symbol.asyncDispose]();
    },
  };
}

function optionsFor({ config: { opentelemetry }, registry, log, name }: TelemetryParts) {
  const { endpoint, protocol, headers, timeoutSeconds, serviceName, metrics } = opentelemetry;
  return {
    collector: {
      endpoint,
      protocol,
      headers: Object.fromEntries(headers.map(({ name: header, value = '' }) => [header, value])),
      authorities: authoritiesOf(opentelemetry),
      timeoutMs: timeoutSeconds * 1000,
    },
    events: {
      away: (reason: string) => {
        const message = 'The collector of OpenTelemetry does not take what it is told. The node runs on without it.';
        log.warn('telemetry.away', { endpoint, reason, message });
      },
      back: (lostSpans: number) => log.info('telemetry.back', { endpoint, lostSpans }),
    },
    service: { name: serviceName, version, instance: name },
    metrics: metrics.enabled
      ? { intervalMs: metrics.intervalSeconds * 1000, startedAt: Date.now(), snapshot: () => registry.snapshot(name) }
      : undefined,
  };
}

function authoritiesOf({ endpoint, authorities }: Configuration['opentelemetry']): readonly string[] {
  if (!endpoint.startsWith('https:')) return [];
  if (authorities === undefined) return machineAuthorities();
  const fail = (problem: string, cure: string) =>
    new ConfigurationError([{ path: 'opentelemetry.authorities', problem, cure }]);
  let text: string;
  try {
    text = readFileSync(authorities, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw fail(`names ${authorities}, which cannot be read (${code})`, 'name a file that the node may read');
  }
  if (!text.includes('-----BEGIN CERTIFICATE')) {
    throw fail(`names ${authorities}, which holds no certificate`, 'name a PEM file');
  }
  return [text];
}
