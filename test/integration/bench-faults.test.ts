import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { flushRedis } from "../../src/bench/faults/flush-redis.ts";
import { isRunning, signalTree } from "../../src/bench/faults/process-tree.ts";
import { openStoreLinks } from "../../src/bench/faults/store-links.ts";
import { recordedStart } from "../../src/stack/processes/recorded-process.ts";
import { eventually } from "../helpers/eventually.ts";
import { hasRedis, startRedis } from "../helpers/redis-server.ts";

/** A program with a child in a session of its own, as PostgreSQL's are. */
async function startFamily() {
  const child = spawn("/bin/sh", ["-c", "setsid sleep 60 & echo $!; wait"], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const pid = child.pid as number;
  return {
    root: { pid, startedAt: recordedStart(pid) ?? "" },
    childPid: Number(line),
    async [Symbol.asyncDispose]() {
      const closed = once(child, "exit");
      if (child.exitCode === null && child.signalCode === null) {
        process.kill(Number(line), "SIGKILL");
        child.kill("SIGKILL");
        await closed;
      }
    },
  };
}

const stateOf = (pid: number): string => {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3);
};

// Looking at the state of a process needs /proc.
describe.runIf(process.platform === "linux")("a process that faults strike", () => {
  test("is stopped and goes on with all that descend from it", async () => {
    await using family = await startFamily();
    const both = (): string[] => [family.root.pid, family.childPid].map(stateOf);
    expect(signalTree(family.root, "SIGSTOP")).toBe(true);
    await eventually(() => expect(both()).toEqual(["T", "T"]));
    signalTree(family.root, "SIGCONT");
    await eventually(() => expect(both()).toEqual(["S", "S"]));
  });

  test("is left alone when its pid belongs to another one by now", async () => {
    await using family = await startFamily();
    const former = { ...family.root, startedAt: family.root.startedAt.replace(/\d+$/, "1") };
    expect(isRunning(former)).toBe(false);
    expect(signalTree(former, "SIGKILL")).toBe(false);
    expect(isRunning(family.root)).toBe(true);
  });
});

// Needs redis-server on this machine.
test.skipIf(!hasRedis)("FLUSHALL empties a Redis, and one that is not there is an error", async () => {
  await using server = await startRedis();
  const client = new Redis(server.url);
  await client.set("a", "1");
  await flushRedis(`127.0.0.1:${server.port}`);
  expect(await client.dbsize()).toBe(0);
  client.disconnect();
  await server.kill();
  await expect(flushRedis(`127.0.0.1:${server.port}`)).rejects.toThrow(/FLUSHALL at .*ECONNREFUSED/);
});

describe("links between servers and stores", () => {
  const environment = {
    MSGR_CASSANDRA__CONTACT_POINTS: "127.0.0.1:9042",
    MSGR_POSTGRES__URL: "postgres://msgr@127.0.0.1:5433/other",
    MSGR_REDIS__URL: "redis://127.0.0.1:6380/2",
    MSGR_S3__ENDPOINT: "http://127.0.0.1:9000",
  };

  test("stand where the stores did, and nothing else changes", async () => {
    const { environment: changed, links } = await openStoreLinks(environment, ["cassandra", "postgres", "redis"]);
    const portOf = (store: "cassandra" | "postgres" | "redis"): number => links.get(store)?.port ?? 0;
    expect(changed).toEqual({
      MSGR_CASSANDRA__CONTACT_POINTS: `127.0.0.1:${portOf("cassandra")}`,
      MSGR_POSTGRES__URL: `postgres://msgr@127.0.0.1:${portOf("postgres")}/other`,
      MSGR_REDIS__URL: `redis://127.0.0.1:${portOf("redis")}/2`,
      MSGR_S3__ENDPOINT: "http://127.0.0.1:9000",
    });
    for (const link of links.values()) await link[Symbol.asyncDispose]();
  });

  test.each([
    ["cassandra", "MSGR_CASSANDRA__CONTACT_POINTS", "127.0.0.1:1,127.0.0.2:1", /tell each other's addresses/],
    ["redis", "MSGR_REDIS__URL", "rediss://127.0.0.1:1", /certificate names another host/],
  ] as const)("cannot stand before %s at %s=%s", async (store, variable, value, reason) => {
    await expect(openStoreLinks({ ...environment, [variable]: value }, [store])).rejects.toThrow(reason);
  });
});
