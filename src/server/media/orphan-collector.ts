import type { Clock, Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Random } from "../../base/random.ts";
import { collectOrphans, type CollectDeps } from "../../core/media/collect-orphans.ts";

interface OrphanCollectorDeps extends CollectDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<Logger, "info" | "warn">;
  onRemoved(count: number): void;
}

const firstDelayMs = 60_000;
const intervalMsMax = 3_600_000;
const intervalMsMin = 1_000;

/**
 * Collects media that no message refers to, now and then, for as long as the process runs. Every process of a cluster does
 * it; the jitter keeps them apart, and meeting does no harm.
 */
export class OrphanCollector {
  readonly #deps: OrphanCollectorDeps;
  #timer: Timer | undefined = undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(deps: OrphanCollectorDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#schedule(Math.min(firstDelayMs, this.#deps.orphanMs));
  }

  /** Resolves when nothing is under way any more. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** From half of `delayMs` to one and a half. */
  #schedule(delayMs: number): void {
    const { clock, random } = this.#deps;
    this.#timer = clock.schedule(delayMs * (0.5 + random.float()), () => {
      this.#running = this.#collect();
    });
  }

  async #collect(): Promise<void> {
    const { log, orphanMs } = this.#deps;
    try {
      let more = true;
      while (more && !this.#stopped) more = await this.#pass();
    } catch (error) {
      log.warn({ err: error }, "Media that nobody refers to could not be listed");
    }
    if (!this.#stopped) this.#schedule(Math.min(intervalMsMax, Math.max(intervalMsMin, orphanMs)));
  }

  async #pass(): Promise<boolean> {
    const { clock, log } = this.#deps;
    const { removed, failures, more } = await collectOrphans(this.#deps, clock.nowMs());
    if (removed > 0) {
      this.#deps.onRemoved(removed);
      log.info({ removed }, "Media that nobody refers to was deleted");
    }
    if (failures.length > 0) {
      log.warn({ err: failures[0], failures: failures.length }, "Media that nobody refers to could not be deleted");
    }
    return more;
  }
}
