import type { NodeReport } from '@parley/metrics/node-report';
import { Subagent } from './agentx/subagent.ts';
import { type ClusterState, shifted } from './cluster/cluster-state.ts';
import { ClusterTracker, type TrackerSettings } from './cluster/cluster-tracker.ts';
import { ClusterPage } from './cluster-page.ts';
import { type AgentRecord, type AgentStore, beginAgent } from './engine.ts';
import { cellsOf, objectOid } from './mib/cells.ts';
import { MODULE } from './mib/definition.ts';
import { NETWORK_SERVICES, networkServicesCells, type ServiceDescription } from './mib/network-services.ts';
import { type SystemDescription, systemCells } from './mib/system.ts';
import { xmppServerMib } from './mib/xmpp-server-mib.ts';
import { Target, type TargetSettings } from './notifications/targets.ts';
import { type Event, type Thresholds, Watch } from './notifications/watch.ts';
import type { CommunitySettings, UserSettings } from './protocol/access.ts';
import { Agent, type AgentOptions } from './protocol/agent.ts';
import { type Oid, oidText } from './protocol/oid.ts';
import { statisticsCells } from './protocol/statistics.ts';
import { type Cell, readCell, View } from './protocol/view.ts';

export interface SidecarSettings {
  /** Where Prometheus finds all nodes together, if anywhere. */
  readonly pages: readonly { readonly host: string; readonly port: number }[];
  /** The master agent of the machine, which answers in our place: the path of its socket, or host:port; '' for none. */
  readonly master: string;
  readonly address: string;
  readonly port: number;
  /** Below it lies XMPP-SERVER-MIB. */
  readonly arc: Oid;
  readonly users: readonly UserSettings[];
  readonly communities: readonly CommunitySettings[];
  readonly perSecond: number;
  readonly targets: readonly TargetSettings[];
  readonly service: ServiceDescription;
  readonly system: Omit<SystemDescription, 'upTime' | 'objectId'>;
  readonly tracker: TrackerSettings;
  readonly thresholds: Thresholds;
}

export interface SidecarHost {
  readonly settings: SidecarSettings;
  readonly store: AgentStore;
  /** What all nodes have told lately. Rejects where it cannot be found out. */
  read(): Promise<readonly NodeReport[]>;
  /** Whether that is because the keyspace, which the nodes share, does not answer. */
  isKeyspaceAway(error: unknown): boolean;
  onEvent(event: Event): void;
  /** The nodes cannot be asked, with the reason; or they can again. */
  onSource(error: Error | undefined): void;
  onRefused: AgentOptions['onRefused'];
  onFault(error: unknown): void;
  onUntold(target: TargetSettings, error: Error): void;
  /** The master agent is away, with the reason; or it takes what we tell. */
  onMaster(error: Error | undefined): void;
}

/** Nodes report every five seconds. */
const LOOK_MS = 2000;
const SAVE_MS = 10_000;

/** Looks at all nodes again and again, answers managers from what it saw last, and tells them what has changed. */
export class Sidecar implements AsyncDisposable {
  readonly view = new View();
  readonly #host: SidecarHost;
  readonly #record: AgentRecord;
  readonly #tracker: ClusterTracker;
  readonly #watch: Watch;
  readonly #targets: readonly Target[];
  readonly #startedAt = performance.now();
  readonly #stopping = new AbortController();
  #state: ClusterState | undefined;
  #agent: Agent | undefined;
  #subagent: Subagent | undefined;
  readonly #pages: ClusterPage[] = [];
  /** By how much sysUpTime is ahead of this agent's own time: a master agent has begun at another moment. */
  #ahead = 0;
  #looking: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #savedAt = 0;
  #away: string | undefined;

  private constructor(host: SidecarHost, record: AgentRecord) {
    const { settings } = host;
    this.#host = host;
    this.#record = record;
    this.#tracker = new ClusterTracker(settings.tracker, Date.now(), record.tracked);
    this.#watch = new Watch(settings.thresholds);
    const engine = {
      id: Buffer.from(record.engineId, 'hex'),
      boots: record.engineBoots,
      time: () => this.#agent?.engineTime ?? Math.floor(this.#now / 1000),
    };
    this.#targets = settings.targets.map((each) => new Target(each, engine, host.onUntold));
  }

  /** Resolves when it answers. Rejects where it cannot listen, or the store fails. */
  static async start(host: SidecarHost): Promise<Sidecar> {
    const sidecar = new Sidecar(host, await beginAgent(host.store));
    await sidecar.#look();
    await sidecar.#listen();
    sidecar.#again();
    return sidecar;
  }

  get port(): number {
    return this.#agent?.port ?? 0;
  }

  /** What managers know it by (RFC 3411, snmpEngineID), in hexadecimal. */
  get engineId(): string {
    return this.#record.engineId;
  }

  /** Of the pages for Prometheus. */
  get pagePorts(): readonly number[] {
    return this.#pages.map(({ port }) => port);
  }

  async #listen(): Promise<void> {
    const { settings, onRefused, onFault } = this.#host;
    const metrics = () => this.#state?.cluster.metrics;
    for (const address of settings.pages) this.#pages.push(await ClusterPage.start({ ...address, metrics }));
    if (settings.master !== '') {
      this.#serve(settings.master);
      return;
    }
    const { address, port, users, communities, perSecond } = settings;
    if (users.length === 0 && communities.length === 0) return; // nobody may ask
    this.#agent = await Agent.start({
      ...{ address, port, users, communities, perSecond, onRefused, onFault, view: this.view },
      engineId: Buffer.from(this.#record.engineId, 'hex'),
      engineBoots: this.#record.engineBoots,
    });
  }

  #serve(master: string): void {
    const { settings, onMaster } = this.#host;
    this.#subagent = new Subagent({
      master,
      description: settings.system.description,
      view: this.view,
      subtrees: [NETWORK_SERVICES, [...settings.arc, MODULE]],
      onUp: (upTime) => {
        this.#ahead = upTime - this.#now;
        this.#show();
        onMaster(undefined);
      },
      onDown: onMaster,
    });
  }

  /** Milliseconds since it started: what sysUpTime tells, in hundredths of a second. */
  get #now(): number {
    return performance.now() - this.#startedAt;
  }

  #again(): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().then(() => this.#again(), this.#host.onFault);
    }, LOOK_MS);
  }

  async #look(): Promise<void> {
    let reports: readonly NodeReport[] | undefined;
    try {
      reports = await this.#host.read();
      if (this.#away !== undefined) this.#host.onSource(undefined);
      this.#away = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (this.#away !== message) this.#host.onSource(error as Error);
      this.#away = message;
      if (!this.#host.isKeyspaceAway(error)) reports = [];
    }
    const state = this.#tracker.update(reports, this.#now);
    this.#state = state;
    this.#show();
    for (const event of this.#watch.look(state)) this.#tell(event);
    if (this.#now - this.#savedAt >= SAVE_MS && this.#away === undefined) await this.#save();
  }

  #show(): void {
    if (this.#state === undefined) return;
    const { arc, service, system } = this.#host.settings;
    const shown = shifted(this.#state, this.#ahead);
    this.view.replace([
      ...systemCells({ ...system, objectId: [...arc, MODULE], upTime: () => this.#now }),
      ...networkServicesCells(shown, service),
      ...cellsOf(xmppServerMib, arc, shown),
      ...this.#statistics(),
    ]);
  }

  #statistics(): readonly Cell[] {
    const agent = this.#agent;
    return agent === undefined ? [] : statisticsCells(() => agent.statistics);
  }

  #tell(event: Event): void {
    const { arc } = this.#host.settings;
    this.#host.onEvent(event);
    const number = xmppServerMib.notifications.findIndex(({ name }) => name === event.name);
    const objects = xmppServerMib.notifications[number]?.objects ?? [];
    const varbinds = objects.flatMap((object) => {
      const oid = [...objectOid(xmppServerMib, arc, object), ...event.index];
      const cell = this.view.get(oid, [oid]);
      return cell === undefined ? [] : [{ oid: oidText(oid), ...readCell(cell) }];
    });
    const upTime = Math.floor((this.#now + this.#ahead) / 10);
    const notice = { oid: oidText([...arc, MODULE, 0, number + 1]), varbinds, upTime };
    for (const target of this.#targets) target.tell(notice);
    this.#subagent?.notify(notice.oid, varbinds, upTime);
  }

  async #save(): Promise<void> {
    this.#savedAt = this.#now;
    try {
      await this.#host.store.save(JSON.stringify({ ...this.#record, tracked: this.#tracker.record }));
    } catch (error) {
      this.#host.onSource(error as Error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#looking;
    if (this.#away === undefined) await this.#save();
    for (const target of this.#targets) target.close();
    for (const page of this.#pages) await page[Symbol.asyncDispose]();
    this.#subagent?.[Symbol.dispose]();
    await this.#agent?.[Symbol.asyncDispose]();
  }
}
