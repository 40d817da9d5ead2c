import type { Clock, Timer } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { Turns } from "../../base/turns.ts";
import type { StoreError } from "../../base/store-error.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { answered } from "./errors.ts";
import type { RedisClient } from "./connect.ts";
import { NameTakenError } from "./name-taken.ts";
import { scripts } from "./scripts.ts";

export interface LeaseOptions {
  /** Name of this server process, of any characters. No two processes may have one name at the same time. */
  readonly nodeId: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of renewals that were not answered; must not throw. */
  readonly onError: (error: unknown) => void;
  readonly leaseTtlMs?: number;
  readonly renewEveryMs?: number;
}

export const leaseTtlMs = 15_000;
const renewEveryMs = 5_000;
const renewAgainMs = 500;
const predecessorPollMs = 250;

/**
 * The lease of a server process: `node:{id}` holds its epoch as long as it renews it. Whatever others keep about this
 * process names node and epoch, so it ends with the lease without being touched.
 *
 *   idle ──start()──▶ held ──renewed in time──▶ held
 *                      │ ended before it was renewed (a pause, a lost or emptied Redis): a new epoch ──▶ held
 *                      └ another process has it ──▶ taken        stop() gives it back
 *
 * An epoch is one unbroken holding. taken: this process must claim nothing any more.
 */
export class NodeLease {
  /** The name as it stands in keys and claims: without `:` and braces. */
  readonly node: string;
  readonly ttlMs: number;
  readonly #redis: RedisClient;
  readonly #options: LeaseOptions;
  readonly #onRestart: ((reason: string) => void)[] = [];
  readonly #onTaken: ((reason: string) => void)[] = [];
  #epoch: string;
  #state: "idle" | "held" | "taken" | "stopped" = "idle";
  #renewedAtMs = 0;
  #isContested = false;
  /** Why there is a new epoch that nobody was told of yet: the answer that it was taken may be lost. */
  #untold: string | undefined;
  #timer: Timer | undefined;
  readonly #turns = new Turns();

  constructor(redis: RedisClient, options: LeaseOptions) {
    this.node = encodeURIComponent(options.nodeId);
    this.ttlMs = options.leaseTtlMs ?? leaseTtlMs;
    this.#redis = redis;
    this.#options = options;
    this.#epoch = makeEpoch(options.random);
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** node:epoch */
  get claim(): string {
    return `${this.node}:${this.#epoch}`;
  }

  /** Undefined while this process may claim things. */
  get failure(): StoreError | undefined {
    return this.#state === "taken" ? new NameTakenError(this.#options.nodeId) : undefined;
  }

  /** Called with the reason after every change of epoch: claims of the epoch before are dead. */
  onRestart(handler: (reason: string) => void): void {
    this.#onRestart.push(handler);
  }

  /** Called once, with the reason, when another process has the lease. */
  onTaken(handler: (reason: string) => void): void {
    this.#onTaken.push(handler);
  }

  /**
   * Takes the lease. One that a dead process left behind is waited for, at most leaseTtlMs. Rejects with StoreError when a
   * living one has it, with WireError when Redis does not answer.
   */
  async start(): Promise<void> {
    if (!(await this.#outlast())) throw new NameTakenError(this.#options.nodeId);
    this.#state = "held";
    this.#plan(this.#options.renewEveryMs ?? renewEveryMs);
  }

  /** Idempotent; never rejects: a lease that cannot be given back ends by itself. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    if (this.#state !== "held") return;
    this.#state = "stopped";
    await this.#redis.run(scripts.leaseRelease, [this.#key], [this.#epoch]).catch(this.#options.onError);
  }

  /** Renews it now, beside the plan. Rejects with WireError when Redis does not answer. */
  async renew(): Promise<void> {
    if (this.#state !== "held" || this.#isContested) return;
    await this.#turns.run("renewal", () => this.#renewInTurn());
  }

  /** Two that found it gone side by side would each take it anew, and this process would claim the epoch that lost. */
  async #renewInTurn(): Promise<void> {
    if (this.#state !== "held") return;
    const answer = await this.#redis.run(scripts.leaseRenew, [this.#key], [this.#epoch, this.ttlMs]);
    if (this.#state !== "held") return;
    const lateMs = this.#options.clock.monotonicMs() - this.#renewedAtMs;
    if (answer === -1) await this.#contest();
    else if (answer === 0) await this.#restart("the lease of this process had ended");
    else if (lateMs >= this.ttlMs) await this.#restart("the lease of this process was renewed late");
    else this.#hold();
  }

  get #key(): string {
    return this.#redis.keys.node(this.node);
  }

  async #take(): Promise<boolean> {
    const taken = await answered(this.#redis.commands.set(this.#key, this.#epoch, "PX", this.ttlMs, "NX"));
    if (taken === "OK") this.#renewedAtMs = this.#options.clock.monotonicMs();
    return taken === "OK";
  }

  /** Takes the lease when whoever has it lets it end. False: it is renewed. */
  async #outlast(): Promise<boolean> {
    let leftMs = Number.POSITIVE_INFINITY;
    while (!(await this.#take())) {
      const nowLeftMs = await answered(this.#redis.commands.pttl(this.#key));
      // Its time to live grew: somebody renews it.
      if (nowLeftMs === -1 || nowLeftMs > leftMs) return false;
      leftMs = nowLeftMs;
      await new Promise<void>((resolve) => this.#options.clock.schedule(predecessorPollMs, resolve));
      if (this.#state === "stopped") return false;
    }
    return true;
  }

  /**
   * Another epoch has the name: that of a living process, or one that is over, perhaps an own one, and that Redis
   * remembers because it came back with an older memory. Only the first goes on renewing it.
   */
  async #contest(): Promise<void> {
    this.#isContested = true;
    try {
      this.#begin("the lease of this process had ended");
      const isOurs = await this.#outlast();
      if (this.#state !== "held") return;
      if (isOurs) this.#hold();
      else this.#lose();
    } finally {
      this.#isContested = false;
    }
  }

  async #restart(reason: string): Promise<void> {
    await this.#redis.run(scripts.leaseRelease, [this.#key], [this.#epoch]);
    this.#begin(reason);
    if (await this.#take()) this.#hold();
    else await this.#contest();
  }

  #begin(reason: string): void {
    this.#epoch = makeEpoch(this.#options.random);
    this.#untold = reason;
  }

  #hold(): void {
    this.#renewedAtMs = this.#options.clock.monotonicMs();
    const reason = this.#untold;
    if (reason === undefined) return;
    this.#untold = undefined;
    for (const handler of this.#onRestart) handler(reason);
  }

  #lose(): void {
    this.#state = "taken";
    this.#timer?.cancel();
    const failure = new NameTakenError(this.#options.nodeId);
    this.#options.onError(failure);
    for (const handler of this.#onTaken) handler(failure.message);
  }

  #plan(delayMs: number): void {
    this.#timer = this.#options.clock.schedule(delayMs, () => {
      this.renew().then(
        () => this.#state === "held" && this.#plan(this.#options.renewEveryMs ?? renewEveryMs),
        (error: unknown) => {
          this.#options.onError(error);
          if (this.#state === "held") this.#plan(renewAgainMs);
        },
      );
    });
  }
}

/** For a process whose name another one has: it must not claim anything. */
export function assertClaims(lease: NodeLease): void {
  const failure = lease.failure;
  if (failure !== undefined) throw new WireError("store_unavailable", { cause: failure });
}

function makeEpoch(random: Random): string {
  const word = (): string => random.uint32().toString(36).padStart(7, "0");
  return word() + word();
}
