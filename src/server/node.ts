import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { FastifyInstance } from "fastify";
import { createFailureLog, kindOf } from "../base/failure-log.ts";
import { createUsersInBulk } from "./accounts/create-users-in-bulk.ts";
import type { Connections } from "./connections.ts";
import type { ServerContext } from "./context-types.ts";
import { registerAdmin } from "./http/admin.ts";
import { installJson } from "./http/json-body.ts";
import { installErrors } from "./http/refusals.ts";
import { registerApi } from "./http/register-api.ts";
import { admitMedia } from "./media/admit-media.ts";
import { serveMedia } from "./media/serve-media.ts";
import { createListener, listen, urlOf } from "./listener.ts";
import { registerOperations } from "./operations.ts";
import { ratePresets } from "./rate-rules.ts";
import { Upgrades } from "./upgrade.ts";

/**
 * One server process.
 *
 *   created ──start()──▶ ready ──drain()──▶ draining ──▶ drained ──destroy()──▶ destroyed
 *                                  └──────── destroy() from any state ────────▲
 *
 * ready: both ports answer. draining: /readyz says 503, upgrades are refused with 503 + Retry-After, clients are asked to
 * reconnect elsewhere, spread over drain.spread_ms, and closed with 4000. destroy closes what is left and the stores.
 */
export type NodeState = "created" | "ready" | "draining" | "drained" | "destroyed";

export interface NodeStart {
  /** Where the public port is taken, another one will do. */
  readonly anyPort: boolean;
  /** later = with `openAdmin`: the predecessor of this process still has the port. */
  readonly administration?: "now" | "later";
}

export interface NodeAddresses {
  readonly url: string;
  /** Undefined = no administrative port. */
  readonly adminUrl: string | undefined;
}

export class ServerNode {
  readonly #context: ServerContext;
  readonly #describeConfig: () => unknown;
  readonly #connections: Connections;
  readonly #app: FastifyInstance;
  readonly #admin: FastifyInstance | undefined;
  readonly #onFailure: (error: unknown, operation: string) => void;
  #state: NodeState = "created";
  #drained: Promise<void> | undefined;
  /** Told when the drain was asked for through the administrative port. */
  onDrainAsked: () => void = () => {};

  constructor(context: ServerContext, connections: Connections, describeConfig: () => unknown) {
    this.#context = context;
    this.#describeConfig = describeConfig;
    this.#connections = connections;
    this.#app = createListener();
    this.#admin = context.config.admin.enabled ? createListener() : undefined;
    const report = createFailureLog(context.clock, (fields) => context.log.error(fields, "A request failed"));
    this.#onFailure = (err, operation) => report(`${operation} ${kindOf(err)}`, () => ({ err, operation }));
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Rejects with PortTakenError, or with the error of a store. Once. */
  async start({ anyPort, administration = "now" }: NodeStart): Promise<NodeAddresses> {
    const { config, core, ports, log } = this.#context;
    ports.bus.subscribe({
      deliver: (delivery) => this.#connections.deliver(delivery),
      notice: (notice) => this.#connections.notice(notice),
    });
    await core.recover();
    await this.#context.fanOutWorkers.start();
    this.#registerPublic();
    if (this.#admin !== undefined) this.#registerAdmin(this.#admin);
    const { host, port } = config.http;
    const address = await listen(this.#app, { host, port, anyPort, exclusive: false });
    const adminUrl = administration === "now" ? await this.openAdmin(config.admin.port) : undefined;
    this.#connections.start();
    this.#context.orphans.start();
    this.#state = "ready";
    const addresses = { url: urlOf(address), adminUrl };
    log.info({ ...addresses }, "Ready");
    return addresses;
  }

  /** Opens the administrative port, if the configuration has one, and answers its address. Rejects with PortTakenError. */
  async openAdmin(port: number): Promise<string | undefined> {
    if (this.#admin === undefined) return undefined;
    const { host } = this.#context.config.admin;
    return urlOf(await listen(this.#admin, { host, port, anyPort: false, exclusive: true }));
  }

  /**
   * Asks everyone to leave, and waits for it. `listening`: newcomers are told to come back later; otherwise the public port
   * is left to others who share it. Idempotent.
   */
  drain({ listening = true }: { readonly listening?: boolean } = {}): Promise<void> {
    if (this.#drained === undefined && !listening) this.#app.server.close();
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async destroy(): Promise<void> {
    if (this.#state === "destroyed") return;
    this.#state = "destroyed";
    this.#connections.destroy();
    await Promise.all([this.#app.close(), this.#admin?.close(), this.#context.orphans.stop()]);
    await this.#context.fanOutWorkers.stop();
    await this.#context.close();
  }

  #notReady(): string | undefined {
    if (this.#state !== "ready") return this.#state;
    const lost = this.#context.lost();
    return lost.length === 0 ? undefined : `no answer from ${lost.join(", ")}`;
  }

  async #drain(): Promise<void> {
    if (this.#state !== "ready") return;
    this.#state = "draining";
    const { log, config } = this.#context;
    log.info({ connections: this.#connections.size, spread_ms: config.drain.spread_ms }, "Draining");
    await this.#connections.drain(config.drain.spread_ms);
    if (this.#state === "draining") this.#state = "drained";
    log.info({ connections: this.#connections.size }, "Drained");
  }

  #registerPublic(): void {
    const context = this.#context;
    const { accounts, metrics, clock, config } = context;
    registerApi(this.#app, {
      core: context.core,
      accounts,
      users: context.ports.users,
      relations: context.ports.relations,
      settings: context.ports.settings,
      presence: context.presence,
      presenceChanged: (userId) => this.#connections.presenceChanged(userId),
      media: context.media,
      publicUrl: config.media.public_url,
      proxiesTrusted: config.http.proxies_trusted,
      rateLimits: context.rateLimits,
      bus: context.ports.bus,
      rules: () => context.rules,
      clock,
      random: context.random,
      authenticate: (token) => accounts.authenticate(token),
      onFailure: this.#onFailure,
    });
    if (context.mediaFiles !== undefined)
      serveMedia(this.#app, { files: context.mediaFiles, clock, onPassed: context.onMediaPassed });
    if (context.cdn !== undefined) admitMedia(this.#app, { cdn: context.cdn, clock });
    const upgrades = new Upgrades({
      rateLimits: context.rateLimits,
      clock,
      connectionsMax: config.http.connections_max,
      proxiesTrusted: config.http.proxies_trusted,
      rules: () => context.rules,
      connections: () => this.#connections.size,
      drainingForMs: () => (this.#state === "ready" ? undefined : config.drain.spread_ms + restartMs),
      authenticate: (token) => accounts.authenticate(token),
      onOpen: (ws, socket, holder) => this.#connections.open(ws, socket, holder),
      onRefused: (status) => metrics.upgradeRefused(status),
      onFailure: (error) => this.#onFailure(error, "GET /ws"),
    });
    this.#app.server.on("upgrade", (request, socket, head) => upgrades.handle(request, socket, head));
  }

  #registerAdmin(app: FastifyInstance): void {
    const context = this.#context;
    const { config, log, metrics } = context;
    installErrors(app, { onFailure: this.#onFailure });
    installJson(app);
    registerOperations(app, {
      metrics,
      token: config.admin.token,
      notReady: () => this.#notReady(),
      describeConfig: this.#describeConfig,
    });
    if (config.admin.token === undefined) return;
    registerAdmin(app, {
      token: config.admin.token,
      createUsers: (users) => createUsersInBulk(context.accountDeps, users),
      usePreset: (preset) => {
        context.rules = ratePresets[preset];
        log.info({ preset }, "Rate limits changed");
      },
      measureMemory,
      drain: () => this.onDrainAsked(),
    });
  }
}

/** What a client that was refused while this process drains should allow for a new one to come up. */
const restartMs = 1_000;

/**
 * The memory of the process after a full collection, so that two measurements can be compared. `last-resort` also gives
 * back the room that the young generation grew into during a burst, which says nothing about what is kept.
 */
function measureMemory() {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: object) => void;
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heapUsed, external, collected: true };
}
