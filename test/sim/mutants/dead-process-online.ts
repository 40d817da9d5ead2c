import { parseClaim } from "../../../src/stores/redis/peers.ts";
import type { Mutant } from "./mutant.ts";

/** Who looks takes what stands in Redis for true, without asking whether the process that wrote it still has its lease. */
export const deadProcessOnline: Mutant = {
  name: "dead-process-online",
  redisClient(client) {
    const epochs = new Map<string, string>();
    const pipeline = (): object => {
      const real = client.commands.pipeline();
      const asked: string[] = [];
      const wrapped = Object.assign(Object.create(real), {
        hvals(key: string) {
          asked.push("");
          real.hvals(key);
          return wrapped;
        },
        get(key: string) {
          asked.push(key);
          real.get(key);
          return wrapped;
        },
        async exec() {
          const answers = (await real.exec()) ?? [];
          return answers.map(([error, answer], index) => {
            for (const owner of asked[index] === "" ? (answer as string[]) : []) {
              const { node, epoch } = parseClaim(owner);
              epochs.set(client.keys.node(node), epoch);
            }
            return [error, epochs.get(asked[index] ?? "") ?? answer];
          });
        },
      }) as typeof real;
      return wrapped;
    };
    return {
      ...client,
      lost: () => client.lost(),
      commands: Object.assign(Object.create(client.commands), { pipeline }),
    };
  },
};
