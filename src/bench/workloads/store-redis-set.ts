import { partOf } from "../executors/closed.ts";
import type { Share } from "../executors/executor.ts";
import type { StoreWork } from "./store-work.ts";
import type { TickWriter } from "./store-tick-writer.ts";

const ttlMs = 45_000;

/** store.redis-set: one SET with an expiry for a user; the keys are made beforehand, so that writing is all that counts. */
export class RedisSetWork implements StoreWork {
  readonly #writer: TickWriter;
  readonly #keys: readonly string[];
  readonly #shareCount: number;

  constructor(writer: TickWriter, prefix: string, users: number, share: Share) {
    this.#writer = writer;
    this.#shareCount = share.count;
    this.#keys = Array.from(
      { length: partOf(users, share) },
      (_, index) => `${prefix}bench:{${index * share.count + share.index}}`,
    );
  }

  run(user: number): Promise<unknown> {
    return this.#writer.set(this.#keys[Math.floor(user / this.#shareCount)] as string, "1", ttlMs);
  }
}
