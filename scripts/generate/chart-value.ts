/** A value of the Helm chart: what it is, what may stand there, and what stands there by itself. */
export interface ChartValue {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly fallback: unknown;
  readonly description: string;
  /** Of a group. */
  readonly values?: Readonly<Record<string, ChartValue>>;
}

export const value = (
  fallback: unknown,
  description: string,
  schema: Readonly<Record<string, unknown>>,
): ChartValue => ({
  schema: { description, ...schema },
  fallback,
  description,
});

export const text = (fallback: string, description: string, more: object = {}): ChartValue =>
  value(fallback, description, { type: 'string', maxLength: 4096, ...more });

export const flag = (fallback: boolean, description: string): ChartValue =>
  value(fallback, description, { type: 'boolean' });

export const whole = (fallback: number, description: string, minimum = 0, maximum = 1_000_000): ChartValue =>
  value(fallback, description, { type: 'integer', minimum, maximum });

export const choice = (fallback: string, of: readonly string[], description: string): ChartValue =>
  value(fallback, description, { enum: of });

export const list = (description: string, items: object, fallback: readonly unknown[] = []): ChartValue =>
  value(fallback, description, { type: 'array', items });

/** Names that the chart cannot know, to text: labels, annotations. */
export const names = (description: string, fallback: Readonly<Record<string, string>> = {}): ChartValue =>
  value(fallback, description, { type: 'object', additionalProperties: { type: 'string' } });

/** Values that belong together; others than these are refused. */
export const group = (description: string, values: Readonly<Record<string, ChartValue>>): ChartValue => ({
  schema: { description, ...strict(schemasOf(values)) },
  fallback: Object.fromEntries(Object.entries(values).map(([name, each]) => [name, each.fallback])),
  description,
  values,
});

export const schemasOf = (values: Readonly<Record<string, ChartValue>>) =>
  Object.fromEntries(Object.entries(values).map(([name, { schema }]) => [name, schema]));

/** An object with these properties and no others. */
export const strict = (properties: object, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...(required.length > 0 && { required }),
});
