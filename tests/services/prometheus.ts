import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { onTestFinished, vi } from 'vitest';
import { giveAway, programOf, spawnUnprivileged } from './unprivileged.ts';

/** One series of an answer: its labels, and its value now. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface RunningRule {
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>>; readonly state: string }[];
}

/** Debian's prometheus, which scrapes these ports of this machine every second. It ends with the test. */
export class Prometheus {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'parley-prometheus-'));
  #child: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(targets: readonly number[], rules: string): Promise<Prometheus> {
    const prometheus = new Prometheus(await freePort());
    await prometheus.#start(targets, rules);
    return prometheus;
  }

  async #start(targets: readonly number[], rules: string): Promise<void> {
    copyFileSync(rules, join(this.#folder, 'rules.yml'));
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yml'],
      scrape_configs: [
        { job_name: 'parley', static_configs: [{ targets: targets.map((port) => `127.0.0.1:${port}`) }] },
      ],
    };
    const file = join(this.#folder, 'prometheus.yml');
    writeFileSync(file, JSON.stringify(config)); // which is YAML, too
    giveAway(this.#folder);
    const words = [`--config.file=${file}`, `--storage.tsdb.path=${join(this.#folder, 'data')}`];
    const child = spawnUnprivileged(
      programOf('prometheus'),
      [...words, `--web.listen-address=127.0.0.1:${this.port}`, '--log.level=warn'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#child = child;
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    onTestFinished(async () => {
      const gone = once(child, 'close');
      this.#child?.kill();
      if (child.exitCode === null && child.signalCode === null) await gone;
      rmSync(this.#folder, { recursive: true, force: true });
    });
    await vi.waitFor(async () => {
      if (child.exitCode !== null) throw new Error(`prometheus ended: ${said}`);
      expectOk(await fetch(`http://127.0.0.1:${this.port}/-/ready`));
    });
  }

  /** What a query gives now. Throws where it is not understood. */
  async query(query: string): Promise<Sample[]> {
    const { resultType, result } = (await this.#ask(`query?${new URLSearchParams({ query })}`)) as {
      resultType: string;
      result: { metric: Record<string, string>; value: [number, string] }[];
    };
    if (resultType !== 'vector') throw new Error(`${query} gives a ${resultType}.`);
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The alerts, as Prometheus itself evaluates them. */
  async rules(): Promise<RunningRule[]> {
    const { groups } = (await this.#ask('rules')) as { groups: { rules: RunningRule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  async #ask(path: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.port}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as { status: string; data: unknown; error?: string };
    if (status !== 'success') throw new Error(`${decodeURIComponent(path)}: ${error}`);
    return data;
  }
}

function expectOk({ ok, status }: Response): void {
  if (!ok) throw new Error(`It answers ${status}.`);
}
