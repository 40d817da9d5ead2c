import { scripts } from "../../../src/stores/redis/scripts.ts";
import type { Mutant } from "./mutant.ts";

/**
 * Nobody looks whether Redis still has its memory: there is no sentinel, and a process whose lease is gone takes it anew
 * as if it had never been away.
 */
export const flushUnnoticed: Mutant = {
  name: "flush-unnoticed",
  redisClient(client) {
    const get = (): Promise<string> => Promise.resolve("always the same");
    return {
      ...client,
      lost: () => client.lost(),
      commands: Object.assign(Object.create(client.commands), { get }),
      async run(script, keys, args) {
        const answer = await client.run(script, keys, args);
        if (script !== scripts.leaseRenew || answer !== 0) return answer;
        await client.commands.set(String(keys[0]), String(args[0]), "PX", Number(args[1]), "NX");
        return 1;
      },
    };
  },
};
