import type { SpanData, SpanSink } from '@parley/opentelemetry/span-data';
import { Tracing } from '@parley/server/tracing/tracing';
import { expect, onTestFinished } from 'vitest';

/** Everything that the nodes of a test have traced, which is every stanza. Ends with the test. */
export class Traces implements SpanSink {
  readonly spans: SpanData[] = [];
  readonly tracing = new Tracing(this, 1);

  constructor() {
    onTestFinished(() => this.tracing[Symbol.dispose]());
  }

  add(span: SpanData): void {
    this.spans.push(span);
  }

  /** Waits until a stanza of this type is done with that came over such a connection. */
  async stanza(type: string, connection: string): Promise<SpanData> {
    const find = () =>
      this.spans.find((span) => {
        const is = attributesOf(span);
        return is['xmpp.stanza.type'] === type && is['xmpp.connection.type'] === connection;
      });
    await expect.poll(find).toBeDefined();
    return find() as SpanData;
  }

  /** Waits until the trace has a step of this name. */
  async step({ traceId }: SpanData, name: string): Promise<SpanData> {
    const find = () => this.spans.find((span) => span.traceId === traceId && span.name === name);
    await expect.poll(find).toBeDefined();
    return find() as SpanData;
  }

  /** The names of the steps of one node's part of a trace, those of the keyspace left out, in the order of the alphabet. */
  steps({ spanId }: SpanData): string[] {
    const all = this.spans.filter(({ parentId }) => parentId === spanId).map(({ name }) => name);
    return all.filter((name) => name.startsWith('xmpp.')).sort();
  }
}

export const attributesOf = ({ attributes }: SpanData): Record<string, unknown> =>
  Object.fromEntries(attributes.flatMap((name, at) => (at % 2 === 0 ? [[name, attributes[at + 1]]] : [])));
