import type { PresenceInterest } from "../../../src/core/ports/presence.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";

/** An interest that nobody repeats ends after this. */
export const interestTtlMs = 60_000;

interface Attached {
  onTold: (userIds: readonly Uuid[]) => void;
}

/** What server processes want to hear of each other's users; each gets an interest of its own from `attach`. */
export class MemoryInterests {
  readonly #nowMs: () => number;
  readonly #wanted = new Map<Uuid, Map<Attached, number>>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  attach(): PresenceInterest {
    const own: Attached = { onTold: () => undefined };
    return {
      want: async (userIds) => {
        for (const userId of userIds) {
          const wanting = this.#wanted.get(userId) ?? new Map<Attached, number>();
          this.#wanted.set(userId, wanting.set(own, this.#nowMs() + interestTtlMs));
        }
      },
      release: async (userIds) => {
        for (const userId of userIds) this.#wanted.get(userId)?.delete(own);
      },
      tell: (userId) => {
        for (const [other, endsAtMs] of this.#wanted.get(userId) ?? []) {
          if (other !== own && endsAtMs > this.#nowMs()) other.onTold([userId]);
        }
      },
      onTold: (handler) => (own.onTold = handler),
    };
  }

  /** FLUSHALL */
  flush(): void {
    this.#wanted.clear();
  }
}
