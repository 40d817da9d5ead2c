import { decodeBatch } from "../../../src/stores/redis/bus-batch.ts";
import type { Roughness } from "../plan.ts";
import type { Scheduler } from "../scheduler.ts";
import { RedisMemory } from "./redis-memory.ts";
import { RedisSocket, type SocketOwner } from "./redis-socket.ts";

const slowMsMax = 150;
/** Longest detour of a message that was overtaken. */
const lateMsMax = 400;

/**
 * The one Redis of a deployment: what it keeps (redis-memory.ts), who is connected, and what befalls it.
 *
 *   up ⇄ hung      hung: nothing is carried out and nothing answered; what came meanwhile is done afterwards
 *   up ⇄ down      down: every socket ended; it comes back with all it knew, with what it knew earlier, or with nothing
 *
 * Batches are lost, doubled and overtaken one by one, which is more than the real one does: there whole sockets end. Notices,
 * which have no numbers, are lost as there: together with all that follows, until the process hears that its connection ended.
 */
export class SimRedis {
  readonly memory: RedisMemory;
  readonly #scheduler: Scheduler;
  readonly #rough: Roughness;
  readonly #delayMsMax: number;
  readonly #listeners = new Map<string, Set<RedisSocket>>();
  readonly #sockets = new Set<RedisSocket>();
  #state: "up" | "hung" | "down" = "up";
  #backlog: (() => void)[] = [];
  #restore: (() => void) | undefined = undefined;
  #over = false;
  #losesNext = false;
  #slowUntilMs = 0;
  /** It came back with an older memory once. */
  wasOlder = false;
  /** A command without an answer costs its socket after this, as the client has it. */
  readonly timeoutMs = 2_000;
  /** Mutants only: what a message becomes on its way; undefined = it is lost. */
  rewrite: (text: string) => string | undefined = (text) => text;
  /** Mutants only: told of a message that was not lost. */
  onHeard: (text: string) => void = () => undefined;

  constructor(scheduler: Scheduler, rough: Roughness, delayMsMax: number) {
    this.#scheduler = scheduler;
    this.#rough = rough;
    this.#delayMsMax = delayMsMax;
    this.memory = new RedisMemory(() => scheduler.nowMs);
  }

  get isDown(): boolean {
    return this.#state === "down";
  }

  /** Faults end. */
  end(): void {
    this.#over = true;
    this.#wake();
    this.#comeBack();
  }

  connect(owner: SocketOwner): RedisSocket {
    const socket = new RedisSocket(this, this.#scheduler, owner);
    this.#sockets.add(socket);
    return socket;
  }

  forget(socket: RedisSocket): void {
    this.#sockets.delete(socket);
    for (const listeners of this.#listeners.values()) listeners.delete(socket);
  }

  listen(socket: RedisSocket, channel: string): void {
    const listeners = this.#listeners.get(channel);
    if (!socket.isOpen) return;
    if (listeners === undefined) this.#listeners.set(channel, new Set([socket]));
    else listeners.add(socket);
  }

  unlisten(socket: RedisSocket, channel: string): void {
    this.#listeners.get(channel)?.delete(socket);
  }

  /** The next batch that one process sends another is lost, whatever the weather. */
  loseNextBatch(): void {
    this.#losesNext = true;
  }

  publish(channel: string, text: string): number {
    const listeners = this.#listeners.get(channel) ?? [];
    if (this.#losesNext && decodeBatch(text)?.kind === "batch") {
      this.#losesNext = false;
      return 1;
    }
    const sent = this.rewrite(text);
    for (const socket of listeners) {
      if (sent === undefined) continue;
      if (this.#draws(this.#rough.messagesLost)) {
        // Numbered ones may get lost one by one. Notices rely on what Redis does: they arrive, or nothing more does.
        if (decodeBatch(sent)?.kind === "notice") socket.overflow();
        continue;
      }
      this.onHeard(sent);
      socket.hear(channel, sent);
      if (this.#draws(this.#rough.messagesDoubled)) socket.hear(channel, sent);
    }
    return 1;
  }

  /** A command has arrived. */
  take(socket: RedisSocket, run: () => void): void {
    if (this.#state === "up") run();
    else if (this.#state === "hung") {
      this.#backlog.push(run);
      socket.loseAfter(this.timeoutMs);
    }
  }

  /** Every way takes its time, and no two the same. */
  slowFor(forMs: number): void {
    this.#slowUntilMs = this.#scheduler.nowMs + forMs;
  }

  /** Whether a command is refused instead of carried out. */
  refuses(): boolean {
    return this.#draws(this.#rough.redisRefuses);
  }

  /** Whether a notice that arrived is not heard. */
  losesNotice(): boolean {
    return this.#draws(this.#rough.noticesLost);
  }

  delayMs(): number {
    if (this.#scheduler.nowMs < this.#slowUntilMs) return this.#scheduler.between(0, slowMsMax);
    if (this.#over) return 0;
    const drawn = this.#scheduler.random.float();
    // Half of the ways cost nothing; a few are ten times as long as the rest.
    return drawn < 0.5 ? 0 : this.#scheduler.random.float() * this.#delayMsMax * (drawn > 0.98 ? 10 : 1);
  }

  /** How much later than those that were sent after it a message arrives; 0 = in its order. */
  lateMs(): number {
    return this.#draws(this.#rough.messagesLate) ? this.#scheduler.between(1, lateMsMax) : 0;
  }

  /** SIGSTOP, or a script that runs and runs. */
  hang(forMs: number): void {
    if (this.#state !== "up") return;
    this.#state = "hung";
    this.#scheduler.after(forMs, () => this.#wake());
  }

  /** Ends, and is there again after a while, with nothing, with what it had saved, or with all of it. */
  stop(forMs: number, keeps: "all" | "nothing" | "older"): void {
    if (this.#state !== "up") return;
    if (keeps === "nothing") this.memory.flush();
    if (keeps === "older" && this.#restore !== undefined) {
      this.#restore();
      this.wasOlder = true;
    }
    this.#state = "down";
    for (const socket of Array.from(this.#sockets)) socket.cut();
    this.#scheduler.after(forMs, () => this.#comeBack());
  }

  /** Writes the file that `older` is read from. */
  save(): void {
    this.#restore = this.memory.save();
  }

  #comeBack(): void {
    if (this.#state === "down") this.#state = "up";
  }

  #wake(): void {
    if (this.#state !== "hung") return;
    this.#state = "up";
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const run of backlog) run();
  }

  #draws(share: number): boolean {
    return !this.#over && share > 0 && this.#scheduler.chance(share);
  }
}
