import { describe, expect, it } from 'vitest';
import { acceptedForm, prometheusText } from './prometheus.ts';
import { Registry } from './registry.ts';

function text(set: (metrics: Registry['metrics']) => void): string {
  const registry = new Registry();
  set(registry.metrics);
  return prometheusText(registry.snapshot());
}

describe('the text', () => {
  it('names each metric with its help and type, once', () => {
    const lines = text(() => undefined).split('\n');
    expect(lines).toContain('# HELP xmpp_io_bytes_total Bytes of XML read from and written to streams, without TLS.');
    expect(lines).toContain('# TYPE xmpp_io_bytes_total counter');
    const types = lines.filter((line) => line.startsWith('# TYPE'));
    expect(new Set(types).size).toBe(types.length);
  });

  it('has zeros where the labels are known beforehand', () => {
    const lines = text(({ stanzas }) => stanzas.with({ kind: 'iq', direction: 'in' }).add(12)).split('\n');
    expect(lines).toContain('xmpp_stanzas_total{kind="iq",direction="in"} 12');
    expect(lines).toContain('xmpp_stanzas_total{kind="iq",direction="out"} 0');
    expect(lines).toContain('xmpp_limits_exceeded_total{limit="depth"} 0');
    expect(lines).toContain('parley_uptime_seconds 0');
  });

  it('cumulates the buckets of a histogram', () => {
    const lines = text(({ offlineSize }) => {
      for (const size of [1, 256, 257, 1e9]) offlineSize.record(size);
    }).split('\n');
    const start = lines.indexOf('# HELP xmpp_offline_size_bytes Size of a message when it is stored.') + 1;
    expect(lines.slice(start, start + 9)).toEqual([
      'xmpp_offline_size_bytes_bucket{le="256"} 2',
      'xmpp_offline_size_bytes_bucket{le="1024"} 3',
      'xmpp_offline_size_bytes_bucket{le="4096"} 3',
      'xmpp_offline_size_bytes_bucket{le="16384"} 3',
      'xmpp_offline_size_bytes_bucket{le="65536"} 3',
      'xmpp_offline_size_bytes_bucket{le="262144"} 3',
      'xmpp_offline_size_bytes_bucket{le="+Inf"} 4',
      'xmpp_offline_size_bytes_sum 1000000514',
      'xmpp_offline_size_bytes_count 4',
    ]);
  });

  it('cannot be broken by what a label holds', () => {
    const lines = text(({ certificateDays }) => {
      certificateDays.with({ domain: 'a"},\\\n%2C{x="' }).set(1.5);
    }).split('\n');
    expect(lines).toContain('parley_certificate_remaining_days{domain="a\\"},\\\\\\n%2C{x=\\""} 1.5');
  });

  it('is well formed in every line', () => {
    const sample = /^[a-z_]+(\{([a-z]+="[^"]*"(,[a-z]+="[^"]*")*)\})? (-?\d+(\.\d+)?(e-?\d+)?|NaN|[+-]Inf)$/;
    const lines = text(({ uptime, rss, cpu }) => {
      uptime.set(Number.NaN);
      rss.set(Number.POSITIVE_INFINITY);
      cpu.with({ mode: 'user' }).observe(() => 1e-7);
    }).trimEnd();
    for (const line of lines.split('\n')) if (!line.startsWith('# ')) expect(line).toMatch(sample);
    expect(lines).toContain('parley_uptime_seconds NaN\n');
    expect(lines).toContain('parley_memory_rss_bytes +Inf\n');
  });

  it('is OpenMetrics for those who ask for that', () => {
    expect(acceptedForm('application/openmetrics-text;version=1.0.0,text/plain;q=0.5')).toBe('openmetrics');
    expect([acceptedForm(), acceptedForm('text/plain'), acceptedForm('*/*')]).toEqual(Array(3).fill('prometheus'));
    const lines = prometheusText(new Registry().snapshot(), 'openmetrics').split('\n');
    const at = lines.indexOf('# TYPE xmpp_io_bytes counter');
    expect(lines.slice(at, at + 4)).toEqual([
      '# TYPE xmpp_io_bytes counter',
      '# UNIT xmpp_io_bytes bytes',
      '# HELP xmpp_io_bytes Bytes of XML read from and written to streams, without TLS.',
      'xmpp_io_bytes_total{direction="in"} 0',
    ]);
    expect(lines.slice(-2)).toEqual(['# EOF', '']);
  });
});
