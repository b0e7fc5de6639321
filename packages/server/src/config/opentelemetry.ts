import * as z from 'zod';
import { choice, file, flag, seconds, secret, secretFile, section } from './option.ts';

const endpoint = z
  .string()
  .max(2048)
  .refine(
    (text) => text === '' || isCollector(text),
    'is no address of a collector: write http://host:4318 or https://…, without a user, a query or a fragment; what proves who asks belongs into `headers`',
  )
  .default('')
  .meta({
    description:
      'Where a collector takes OTLP over HTTP: `http://127.0.0.1:4318`. Metrics go to v1/metrics below it, traces to v1/traces. Empty: nothing of OpenTelemetry is loaded.',
  });

function isCollector(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

/** Those that say how the request itself is to be read. */
const OURS = /^(?:content-.*|host|connection|transfer-encoding|user-agent|expect|upgrade|te|trailer)$/i;

const header = z.strictObject({
  name: z
    .string()
    .max(128)
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is no name of a header: write one such as authorization')
    .refine((name) => !OURS.test(name), 'is a header that the request has anyway: leave it out')
    .meta({ description: 'Its name, such as `authorization`.' }),
  value: secret({ description: 'What it says.' }),
  valueFile: secretFile('value'),
});

const headers = z
  .array(header)
  .max(32)
  .default([])
  .superRefine((list, context) => {
    const names = new Set<string>();
    for (const [index, { name, value, valueFile }] of list.entries()) {
      const report = (key: string, message: string) =>
        context.addIssue({ code: 'custom', path: [index, key], message });
      if (value === undefined && valueFile === undefined) report('value', 'is missing: give it, or a `valueFile`');
      if (value !== undefined && !/^[\t\x20-\x7e]*$/.test(value)) {
        report('value', 'is not what a header may say: write printable ASCII in one line');
      }
      if (names.has(name.toLowerCase())) report('name', 'is that of another header, too: name each once');
      names.add(name.toLowerCase());
    }
  })
  .meta({ description: 'Headers of each request, such as one that proves who asks.' });

export const opentelemetry = section('Metrics and traces for an OpenTelemetry collector.', {
  endpoint,
  protocol: choice(['http/protobuf', 'http/json'], 'http/protobuf', {
    description: 'How it is told: protobuf, or JSON, which is larger, for collectors that know nothing else.',
  }),
  headers,
  authorities: file({
    description:
      'Certificates (PEM) of the authorities that vouch for the collector. Without it: those that the machine trusts.',
  }),
  timeoutSeconds: seconds(5, {
    max: 60,
    description: 'Time for it to take something, with all attempts; what it has not taken by then is lost.',
  }),
  serviceName: z.string().min(1).max(255).default('parley').meta({
    description: 'What the server is called there (service.name). Nodes are told apart by `cluster.name`.',
  }),
  metrics: section('What is counted.', {
    enabled: flag(true, { description: 'Whether the collector gets the metrics.' }),
    intervalSeconds: seconds(60, { max: 3600, description: 'How often it gets them.' }),
  }),
  traces: section('What becomes of single stanzas.', {
    ratio: z.number().min(0).max(1).default(0).meta({
      live: true,
      description:
        'The share of stanzas from clients and other servers that is traced: 0.01 is one of a hundred, 0 none.',
    }),
  }),
}).superRefine((value, context) => {
  if (value.endpoint === '' && value.traces.ratio > 0) {
    const message = 'is missing: `traces.ratio` needs a collector that takes the traces, such as http://127.0.0.1:4318';
    context.addIssue({ code: 'custom', path: ['endpoint'], message });
  }
});
