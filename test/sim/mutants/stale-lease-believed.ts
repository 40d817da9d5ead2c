import { leaseTtlMs } from "../../../src/stores/redis/lease.ts";
import type { Mutant } from "./mutant.ts";

/**
 * A sender that once found a device at a process believes so for as long as that process may hold its lease, instead of
 * asking with each delivery: what is for a device that has moved goes to where it was, perhaps to nobody, and nobody
 * misses it.
 */
export const staleLeaseBelieved: Mutant = {
  name: "stale-lease-believed",
  redisClient(client, clock) {
    const found = new Map<string, { readonly answer: unknown; readonly atMs: number }>();
    const pipeline = (): object => {
      const real = client.commands.pipeline();
      const keys: string[] = [];
      return Object.assign(Object.create(real), {
        hgetall(key: string) {
          keys.push(key);
          real.hgetall(key);
        },
        async exec() {
          const answers = (await real.exec()) ?? [];
          if (keys.length === 0) return answers;
          return keys.map((key, index) => {
            const known = found.get(key);
            if (known !== undefined && clock.monotonicMs() - known.atMs < leaseTtlMs) return [null, known.answer];
            const answer = answers[index]?.[1];
            if (Object.keys(answer as object).length > 0) found.set(key, { answer, atMs: clock.monotonicMs() });
            return [null, answer];
          });
        },
      });
    };
    return {
      ...client,
      lost: () => client.lost(),
      commands: Object.assign(Object.create(client.commands), { pipeline }),
    };
  },
};
