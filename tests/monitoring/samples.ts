/** Values of some labels, as they stand in Prometheus' text. */
export type Wanted = Readonly<Record<string, string | readonly string[]>>;

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** What somebody shows to Prometheus, at one moment. */
export class Samples {
  readonly all: readonly Sample[];

  private constructor(text: string) {
    this.all = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const { name = '', labels = '', value } = LINE.exec(line)?.groups ?? {};
        const pairs = [...labels.matchAll(/([a-z]+)="([^"]*)"/g)];
        return { name, labels: new Map(pairs.map(([, key = '', of = '']) => [key, of])), value: Number(value) };
      });
  }

  static async at(port: number): Promise<Samples> {
    return new Samples(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  }

  of(name: string, wanted: Wanted = {}): readonly Sample[] {
    return this.all.filter(
      (sample) =>
        sample.name === name &&
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
