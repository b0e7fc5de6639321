import { type StdioOptions, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../services/redis.ts';
import { CLI, RunningParley, run } from '../support/process.ts';
import { configurationOf, render, the } from './chart.ts';
import { SNMP, TRIAL } from './chart-values.ts';

const SECRET = '0123456789abcdef'.repeat(4);

/** What a container of the chart would have of its pod: files where they are mounted, and a Redis. */
class Pod {
  readonly folder = mkdtempSync(join(tmpdir(), 'parley-pod-'));
  readonly #file = join(this.folder, 'parley.yaml');

  constructor(configuration: string, redis: string) {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    for (const [, path = ''] of configuration.matchAll(/\/run\/parley\/(\S+)/g)) {
      mkdirSync(dirname(join(this.folder, path)), { recursive: true });
      writeFileSync(join(this.folder, path), SECRET);
    }
    const text = configuration
      .replaceAll('/run/parley/', `${this.folder}/`)
      .replace('/var/lib/parley', this.folder)
      .replace(/url: redis:.*/, `url: ${redis}`)
      .replaceAll(/port: \d+/g, 'port: 0') // several pods on one machine
      .replaceAll("host: '::'", 'host: 127.0.0.1');
    writeFileSync(this.#file, text);
  }

  /** The command of a container, with the files of this pod. */
  #words([program, ...command]: readonly string[]): string[] {
    expect(program).toBe('parley');
    return [CLI, ...command.map((word) => (word === '/etc/parley/parley.yaml' ? this.#file : word))];
  }

  async start(command: readonly string[], started: string, env: object = {}): Promise<RunningParley> {
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    const { PARLEY_TESTS: _, ...own } = process.env; // it is no option
    const child = spawn(process.execPath, this.#words(command), { stdio, env: { ...own, ...env } });
    const running = new RunningParley(child, started);
    onTestFinished(() => running.kill());
    await running.listening;
    return running;
  }

  run(command: readonly string[]) {
    return run(process.execPath, this.#words(command));
  }
}

it('what the chart makes starts: two nodes answer their probes, two users chat as in helm test, an agent watches', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const values = { ...SNMP, ...TRIAL, config: { ...SNMP.config, domains: ['localhost'] }, test: {} };
  const manifests = render(values);
  const [container] = the(manifests, 'Deployment').spec.template.spec.containers;
  const node = (name: string) =>
    new Pod(configurationOf(manifests), redis.url).start(container.command, 'server.started', {
      [container.env[0].name]: name,
    });
  const nodes = [await node('chat-parley-1'), await node('chat-parley-2')];
  for (const running of nodes) {
    for (const { httpGet } of [container.startupProbe, container.livenessProbe]) {
      const { status } = await fetch(`http://127.0.0.1:${running.port('http')}${httpGet.path}`);
      expect(`${httpGet.path} ${status}`).toBe(`${httpGet.path} 200`);
    }
  }
  expect(nodes[1]?.log.find(({ event }) => event === 'server.started')).toMatchObject({ node: 'chat-parley-2' });

  const test = the(manifests, 'Pod', '-test-chat').spec.containers[0].command as string[];
  const server = `localhost:${nodes[0]?.port('c2s')}`;
  const command = test.map((word) => (word === 'chat-parley-clients:5222' ? server : word));
  expect(command).toContain(server);
  const tried = await new Pod(configurationOf(manifests), redis.url).run(command);
  expect(tried).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/can log in and chat\.\n$/) });

  const [agent] = the(manifests, 'Deployment', '-snmp').spec.template.spec.containers;
  const watching = await new Pod(configurationOf(manifests, '-snmp'), redis.url).start(agent.command, 'snmp.started');
  expect(await watching.event('snmp.started')).toMatchObject({ metrics: [expect.any(Number)] });

  // sooner than it is killed
  const grace = the(manifests, 'Deployment').spec.template.spec.terminationGracePeriodSeconds;
  const begun = performance.now();
  expect(await nodes[0]?.stop()).toBe(0);
  expect(performance.now() - begun).toBeLessThan(grace * 1000);
});
