import type { Scheduler } from "../scheduler.ts";
import type { SimRedis } from "./sim-redis.ts";

/** Longest from the first message that a listener misses to the end of its connection. */
const overflowMsMax = 3_000;

/** One direction of a connection: what is sent first arrives first. */
class Lane {
  readonly #scheduler: Scheduler;
  #lastAtMs = 0;
  #onTheWay = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  pass(delayMs: number, run: () => void): void {
    // A task of its own costs a step of the scheduler: what takes no time is done in the step that began it.
    if (delayMs === 0 && this.#onTheWay === 0) return run();
    this.#lastAtMs = Math.max(this.#lastAtMs, this.#scheduler.nowMs + delayMs);
    this.#onTheWay++;
    this.#scheduler.after(this.#lastAtMs - this.#scheduler.nowMs, () => {
      this.#onTheWay--;
      run();
    });
  }
}

/** What the process at the other end of a socket makes of it. */
export interface SocketOwner {
  /** Runs code of the process, if and when it runs. */
  enter(run: () => void): void;
  onMessage(channel: string, text: string): void;
  onClosed(): void;
}

/**
 * One connection of a process to Redis. Both directions keep their order. A cut takes the answers that are on their way;
 * what was on its way to Redis is carried out or not. A deaf socket swallows what Redis sends on it while both ends
 * believe that all is well.
 */
export class RedisSocket {
  readonly #redis: SimRedis;
  readonly #scheduler: Scheduler;
  readonly #owner: SocketOwner;
  readonly #up: Lane;
  readonly #down: Lane;
  readonly #waiting = new Set<(error: Error) => void>();
  #state: "open" | "cut" | "dead" = "open";
  #carriesOn = true;
  #isImpatient = false;
  isDeaf = false;

  constructor(redis: SimRedis, scheduler: Scheduler, owner: SocketOwner) {
    this.#redis = redis;
    this.#scheduler = scheduler;
    this.#owner = owner;
    this.#up = new Lane(scheduler);
    this.#down = new Lane(scheduler);
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** One command. Rejects when it is refused or the socket ends first; then it was carried out or not. */
  ask<T>(run: () => T): Promise<T> {
    if (this.#state !== "open") return Promise.reject(new Error("Connection is closed."));
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      this.#up.pass(this.#redis.delayMs(), () => {
        if (this.#carriesOn) this.#redis.take(this, () => this.#answer(run, resolve, reject));
      });
    });
  }

  /** Something that was published on a channel this socket listens to. */
  hear(channel: string, text: string): void {
    const give = (): void => {
      if (this.#state === "open" && !this.isDeaf) this.#owner.enter(() => this.#owner.onMessage(channel, text));
    };
    const lateMs = this.#redis.lateMs();
    if (lateMs > 0) this.#scheduler.after(lateMs, give);
    // Never inside of what published it: processes do not call each other.
    else this.#down.pass(this.#redis.delayMs(), () => void Promise.resolve().then(give));
  }

  /** A client gives up a connection on which nothing is answered. */
  loseAfter(patienceMs: number): void {
    if (this.#isImpatient) return;
    this.#isImpatient = true;
    this.#scheduler.after(patienceMs, () => this.cut());
  }

  /**
   * Redis gives up a listener that does not take what it is handed (client-output-buffer-limit): from now on it is handed
   * nothing, and hears of the end only when it comes to read so far.
   */
  overflow(): void {
    if (this.#state !== "open" || this.isDeaf) return;
    this.isDeaf = true;
    this.#scheduler.after(this.#scheduler.between(0, overflowMsMax), () => this.cut());
  }

  /** The process hears of it, and connects again. */
  cut(): void {
    if (this.#state !== "open") return;
    this.#end("cut");
    this.#owner.enter(() => {
      for (const reject of this.#waiting) reject(new Error("Connection is closed."));
      this.#waiting.clear();
      this.#owner.onClosed();
    });
  }

  /** The process is gone. */
  die(): void {
    if (this.#state === "open") this.#end("dead");
  }

  #end(state: "cut" | "dead"): void {
    this.#state = state;
    this.#carriesOn = this.#scheduler.chance(0.5);
    this.#redis.forget(this);
  }

  #answer<T>(run: () => T, resolve: (value: T) => void, reject: (error: Error) => void): void {
    const settle = attempt(run, resolve, reject);
    this.#down.pass(this.#redis.delayMs(), () => {
      if (this.#state !== "open") return;
      if (this.isDeaf) return this.loseAfter(this.#redis.timeoutMs);
      this.#owner.enter(() => {
        if (this.#waiting.delete(reject)) settle();
      });
    });
  }
}

function attempt<T>(run: () => T, resolve: (value: T) => void, reject: (error: Error) => void): () => void {
  try {
    const value = run();
    return () => resolve(value);
  } catch (error) {
    return () => reject(error as Error);
  }
}
