import type { WorkerProgress } from "../worker/messages.ts";

/**
 * When the load is over the run goes on until all is quiet and everybody has what was acked, so that what is late is not
 * taken for lost. It ends before that when the drain of the scenario is over and nothing has come for a while; for so long as
 * somebody is owed something, the while is a long one. It lasts `drainsMax` drains at most.
 */
export interface DrainMoment {
  readonly atMs: number;
  /** Of the load, and of what else has to be over before. */
  readonly endMs: number;
  readonly progresses: readonly (WorkerProgress | undefined)[];
}

/** What was under way when the load ended has been seen by then. */
const settleMs = 1_500;
const stillMs = 5_000;
/**
 * Longer than a device waits for an answer before it asks again (30 s, fleet.ts), than two attempts to connect are apart
 * (20 s), and than servers take to notice that one of them died (5 s) and to have the devices sync (2 s).
 */
const owedStillMs = 40_000;
const drainsMax = 6;

export class Drain {
  readonly #drainMs: number;
  #version = 0;
  #movedAtMs = 0;

  /** `drainMs`: as the scenario says. */
  constructor(drainMs: number) {
    this.#drainMs = drainMs;
  }

  /** Workers were told something that changes what they are owed: until they have heard it they cannot know. */
  nextVersion(): number {
    return ++this.#version;
  }

  isOver({ atMs, endMs, progresses }: DrainMoment): boolean {
    const moves = progresses.some((progress) => progress !== undefined && progress.ended + progress.delivered > 0);
    if (moves) this.#movedAtMs = atMs;
    if (atMs <= endMs + settleMs) return false;
    if (progresses.every((progress) => progress?.quiet === true) && !this.#owes(progresses)) return true;
    if (atMs <= endMs + this.#drainMs) return false;
    const stillForMs = atMs - Math.max(this.#movedAtMs, endMs);
    return atMs > endMs + drainsMax * this.#drainMs || stillForMs > (this.#owes(progresses) ? owedStillMs : stillMs);
  }

  #owes(progresses: readonly (WorkerProgress | undefined)[]): boolean {
    return progresses.some((progress) => progress?.owed === true || (progress?.heard ?? this.#version) < this.#version);
  }
}
