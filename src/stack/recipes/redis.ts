import { mkdirSync } from "node:fs";
import path from "node:path";
import { probeRedis } from "../probes/probes.ts";
import { baseEnvironment, loopback, portOf, type Recipe } from "./recipe.ts";

/**
 * Redis as msgr uses it: nothing that must survive lives only there, so nothing is saved. Full, it refuses instead of
 * forgetting: a presence that vanished would be a lie.
 */
export function redisArguments(port: number): readonly string[] {
  const set = {
    bind: loopback,
    port: String(port),
    daemonize: "no",
    save: "",
    appendonly: "no",
    maxmemory: "256mb",
    "maxmemory-policy": "noeviction",
  };
  return Object.entries(set).flatMap(([name, value]) => [`--${name}`, value]);
}

export const redisRecipe: Recipe = {
  part: "redis",
  stopSignal: "SIGTERM",
  probe: probeRedis,
  readyWithinMs: 15_000,
  ports: () => [{ name: "redis", preferred: 6379, hosts: [loopback] }],
  prepare(context) {
    const folder = path.join(context.directory, "redis");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const port = portOf(context, "redis");
    return Promise.resolve([
      {
        name: "redis",
        version: context.tools.redisVersion,
        address: { host: loopback, port },
        launch: {
          command: "redis-server",
          arguments: redisArguments(port),
          environment: baseEnvironment(context.variables),
          workingDirectory: folder,
        },
      },
    ]);
  },
  settings: (context) => ({ "redis.url": `redis://${loopback}:${portOf(context, "redis")}` }),
};
