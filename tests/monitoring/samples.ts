/** Values of some labels, as they stand in Prometheus' text. */
export type Wanted = Readonly<Record<string, string | readonly string[]>>;

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** What somebody shows to Prometheus, at one moment. */
export class Samples {
  readonly #byName: ReadonlyMap<string, readonly Sample[]>;

  constructor(text: string) {
    const all = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const { name = '', labels = '', value } = LINE.exec(line)?.groups ?? {};
        const pairs = [...labels.matchAll(/([a-z]+)="([^"]*)"/g)];
        return { name, labels: new Map(pairs.map(([, key = '', of = '']) => [key, of])), value: Number(value) };
      });
    this.#byName = Map.groupBy(all, ({ name }) => name);
  }

  static async at(port: number): Promise<Samples> {
    return new Samples(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  }

  of(name: string, wanted: Wanted = {}): readonly Sample[] {
    const all = this.#byName.get(name) ?? [];
    return all.filter((sample) =>
      Object.entries(wanted).every(([label, values]) => [values].flat().includes(sample.labels.get(label) ?? '')),
    );
  }

  sum(name: string, wanted?: Wanted): number {
    return this.of(name, wanted).reduce((sum, { value }) => sum + value, 0);
  }

  /** The values that a label has. */
  values(name: string, label: string): string[] {
    return [...new Set(this.of(name).map(({ labels }) => labels.get(label) ?? ''))];
  }
}

const LINE = /^(?<name>[a-z_]+)(?:\{(?<labels>.*)\})? (?<value>\S+)$/;
