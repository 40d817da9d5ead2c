import type { Clock } from "../../src/base/clock.ts";
import type { Core } from "../../src/core/api.ts";
import { createCore } from "../../src/core/create-core.ts";
import { createFanOutWorkers } from "../../src/core/fan-out/create-fan-out-workers.ts";
import type { Bus, Notice } from "../../src/core/ports/bus.ts";
import type { RateLimits } from "../../src/core/ports/rate-limits.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { WireError } from "../../src/protocol/wire-errors.ts";
import { createMemoryRateLimits } from "../../src/stores/memory/rate-limits.ts";
import { createRedisRateLimits } from "../../src/stores/redis/rate-limits.ts";
import type { Mutant } from "./mutants/mutant.ts";
import type { Link } from "./network.ts";
import { createNodePorts, type Process } from "./node-ports.ts";
import { NodeSockets } from "./node-sockets.ts";
import type { Plan } from "./plan.ts";
import { joinNodes, type Membership } from "./redis/join-nodes.ts";
import { createSimRedisClient, type SimRedisClient } from "./redis/redis-client.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Stores } from "./stores.ts";
import type { Witness } from "./witness.ts";

/** For how long a node may use what it knows of blocks and members without a word from the bus. */
const cacheTtlMs = 1_000;
/** Longest until a process that was started asks for Redis. */
const bootMsMax = 400;
/** What a process that drains gives its clients to go, and what is in flight to end. */
const drainSpreadMs = 1_000;
const drainPatienceMs = 3_000;

export interface NodeParts {
  /** Where it stands: n1, n2 … */
  readonly name: string;
  /** What it is called among the processes. */
  readonly nodeId: string;
  readonly scheduler: Scheduler;
  readonly stores: Stores;
  readonly witness: Witness;
  readonly plan: Plan;
  readonly mutant: Mutant | undefined;
  /** The process ended by itself: it could not start, or was drained. */
  readonly onExit: (node: SimNode) => void;
}

/**
 * One server process: the real core, routes, hub and registrations, and the real lease, bus, registry and pulse of
 * src/stores/redis on a simulated Redis, with ports that it can be cut off from.
 *
 *   starting ──knows the others──▶ serving ──drain()──▶ draining ──▶ dead
 *        └───────── Redis does not answer, the name is taken ───────────▲
 *
 * In any of them it may be paused: nothing in it moves, while what it asked the stores for still happens; afterwards it
 * goes on with everything that came meanwhile, as a zombie that others took for dead. Dead: the same without an afterwards.
 */
export class SimNode implements Process {
  readonly name: string;
  readonly nodeId: string;
  readonly #parts: NodeParts;
  readonly #redis: SimRedisClient;
  readonly #clock: Clock;
  readonly #skewMs: number;
  #state: "starting" | "serving" | "draining" | "dead" = "starting";
  #paused = false;
  #waiting: (() => void)[] = [];
  #pausedAt = 0;
  #calls = 0;
  #membership: Membership | undefined;
  #core: Core | undefined;
  #sockets: NodeSockets | undefined;
  #stopWorkers: () => Promise<void> = async () => undefined;

  constructor(parts: NodeParts) {
    const { scheduler, stores, plan } = parts;
    this.#parts = parts;
    this.name = parts.name;
    this.nodeId = parts.nodeId;
    this.#skewMs = Math.round(scheduler.between(-plan.skewMs, plan.skewMs));
    const rate = 1 + scheduler.between(-plan.driftShare, plan.driftShare);
    this.#clock = scheduler.clock(this.#skewMs, rate, (run) => this.enter(run));
    this.#redis = createSimRedisClient(stores.redis, scheduler, (run) => this.enter(run));
    this.#start().catch((error: unknown) => parts.witness.blame("core", `start: ${String(error)}`));
  }

  get alive(): boolean {
    return this.#state !== "dead";
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Whether the load balancer sends it new connections. */
  get takes(): boolean {
    return this.#state === "serving" && !this.isNameless;
  }

  /** Another process has its name: it serves nobody any more. */
  get isNameless(): boolean {
    return this.#membership?.lease.failure !== undefined;
  }

  isRunning(): boolean {
    return this.alive && !this.#paused;
  }

  /** Everything that makes code of this process run passes here. */
  enter(run: () => void): void {
    if (this.#state === "dead") return;
    if (this.#paused) this.#waiting.push(run);
    else run();
  }

  pause(): void {
    if (!this.isRunning()) return;
    this.#paused = true;
    this.#pausedAt = this.#parts.scheduler.nowMs;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    const { scheduler, stores } = this.#parts;
    // Its timers come first: answers may wait in the sockets, and are given up with them.
    if (scheduler.nowMs - this.#pausedAt > stores.redis.timeoutMs && scheduler.chance(0.3)) {
      this.#redis.cutCommands();
      this.#redis.cutListening();
    }
    for (const run of waiting) this.enter(run);
  }

  kill(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#paused = false;
    this.#waiting = [];
    this.#redis.die();
    this.#sockets?.destroy();
  }

  /** Its way to Redis breaks, or what it listens on goes deaf. */
  loseRedis(): void {
    const { scheduler } = this.#parts;
    const drawn = scheduler.random.float();
    if (drawn < 0.3) this.#redis.deafen();
    else if (drawn < 0.65) this.#redis.cutCommands();
    else this.#redis.cutListening();
  }

  /** Asks every device to go elsewhere. */
  shed(): void {
    this.#sockets?.drain(500, false);
  }

  /** A planned end: clients go, what is in flight is answered, the others are told. */
  drain(): void {
    if (this.#state !== "serving" || this.#paused) return;
    this.#state = "draining";
    this.#sockets?.drain(drainSpreadMs, true);
    const endsAtMs = this.#parts.scheduler.nowMs + drainSpreadMs + drainPatienceMs;
    const check = (): void => {
      const isEmpty = this.#sockets?.size === 0 && this.#calls === 0;
      if (isEmpty || this.#parts.scheduler.nowMs >= endsAtMs)
        this.#stop().catch((error: unknown) => this.#parts.witness.blame("core", `stop: ${String(error)}`));
      else this.#clock.schedule(200, check);
    };
    this.#clock.schedule(200, check);
  }

  accept(userId: Uuid, device: number, link: Link): void {
    this.#sockets?.accept(userId, device, link);
  }

  /** One operation of a caller that came by HTTP. Never settles when the process dies meanwhile. */
  call<T>(operation: (core: Core) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const core = this.#core;
      if (core === undefined || this.#state !== "serving") return reject(new WireError("draining"));
      this.enter(() => {
        this.#calls++;
        operation(core)
          .then(resolve, reject)
          .finally(() => this.#calls--);
      });
    });
  }

  async #start(): Promise<void> {
    const { nodeId, plan, scheduler, witness, mutant, onExit } = this.#parts;
    const onError = (error: unknown): void => witness.note(() => `${nodeId}: ${String(error)}`);
    const client = mutant?.redisClient?.(this.#redis, this.#clock) ?? this.#redis;
    const soon = (run: () => void): void => {
      scheduler.after(0.5, () => this.enter(run));
    };
    await new Promise<void>((resolve) => this.#clock.schedule(scheduler.between(0, bootMsMax), resolve));
    try {
      if (!this.#redis.open()) throw new Error("Redis does not answer");
      const options = { nodeId, mode: plan.registryMode, clock: this.#clock, random: scheduler.random, onError, soon };
      this.#membership = await joinNodes(client, options);
    } catch (error) {
      onError(error);
      this.kill();
      onExit(this);
      return;
    }
    this.#serve(this.#membership);
  }

  #serve(membership: Membership): void {
    const { nodeId, scheduler, witness, mutant, stores, plan } = this.#parts;
    const { bus } = membership;
    const core = this.#createCore(bus);
    this.#core = core;
    const sockets = new NodeSockets({
      nodeId,
      process: this,
      scheduler,
      witness,
      clock: this.#clock,
      core,
      registry: mutant?.registry?.(membership.registry) ?? membership.registry,
      presence: mutant?.presence?.(membership.presence) ?? membership.presence,
      interest: mutant?.interest?.(membership.interest) ?? membership.interest,
      rateLimits: this.#createRateLimits(),
      rules: { send: plan.tight?.send, frame: plan.tight?.frame, read: plan.tight?.read },
    });
    this.#sockets = sockets;
    bus.subscribe({
      deliver(delivery) {
        const { frame } = delivery;
        if (frame.type === "NEW_MESSAGE") core.heardMessage(frame.conversation_id, frame.seq);
        sockets.deliver(delivery);
      },
      notice: (notice) => this.#hear(core, sockets, notice),
    });
    // Failing is allowed: what is left is finished when its group is first used.
    core.recover().catch(() => undefined);
    this.#state = "serving";
    stores.redis.save();
    witness.note(() => `${this.nodeId} serves`);
  }

  #createRateLimits(): RateLimits {
    const own = createMemoryRateLimits();
    if (this.#parts.plan.tight?.isShared !== true) return own;
    return createRedisRateLimits(this.#redis, { fallback: own, offsetMs: () => -this.#skewMs });
  }

  #createCore(bus: Bus): Core {
    const { mutant, stores, plan, scheduler, witness } = this.#parts;
    const given = createNodePorts({ process: this, stores, scheduler, witness, bus, clock: this.#clock });
    const ports = mutant?.ports?.(given, stores) ?? given;
    const options = { cacheTtlMs, lanesMax: plan.lanesMax, ...mutant?.coreOptions };
    const observe = (outcome: string, _members: number, error: unknown): void => {
      if (outcome === "dropped") witness.blame("core", `a fan-out was dropped: ${String(error)}`);
    };
    const workers = createFanOutWorkers({ ...ports, observe });
    void workers.start();
    this.#stopWorkers = () => workers.stop();
    const core = createCore(ports, options);
    const sendingPorts = mutant?.sendingPorts?.(given, stores);
    if (sendingPorts === undefined) return mutant?.core?.(core, stores) ?? core;
    const { delivery, groups } = createCore(sendingPorts, options);
    return mutant?.core?.({ ...core, delivery, groups }, stores) ?? { ...core, delivery, groups };
  }

  #hear(core: Core, sockets: NodeSockets, notice: Notice): void {
    const { mutant, stores } = this.#parts;
    if (mutant?.hears?.(notice) === false) return;
    // What is lost on the way in takes its connection along, now or later: Redis cuts off whoever does not take what it is handed.
    if (stores.redis.losesNotice()) this.#loseListening();
    else {
      core.hear(notice);
      sockets.notice(notice);
    }
  }

  #loseListening(): void {
    if (this.#parts.scheduler.chance(0.5)) this.#redis.cutListening();
    else this.#redis.overflow();
  }

  async #stop(): Promise<void> {
    await this.#stopWorkers();
    await this.#membership?.stop();
    this.#parts.witness.note(() => `${this.nodeId} ends`);
    this.kill();
    this.#parts.onExit(this);
  }
}
