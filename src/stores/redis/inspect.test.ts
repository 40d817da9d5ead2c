import { expect, test } from "vitest";
import { factsObjections, parseInfo, versionObjection } from "./inspect.ts";

const good = { version: "7.0.15", role: "master", memoryBytesMax: 0, evictionPolicy: "noeviction" };

test("INFO is read whatever else stands in it", () => {
  const info =
    "# Server\r\nredis_version:7.2.4\r\nos:Linux: 6\r\n\r\n# Memory\r\nmaxmemory:1048576\r\nmaxmemory_policy:allkeys-lru\r\n# Replication\r\nrole:slave\r\n";
  expect(parseInfo(info)).toEqual({
    version: "7.2.4",
    role: "slave",
    memoryBytesMax: 1_048_576,
    evictionPolicy: "allkeys-lru",
  });
  expect(parseInfo("")).toEqual({ version: "", role: "", memoryBytesMax: 0, evictionPolicy: "" });
});

test("a Redis from 7 on will do, an older one is refused by name", () => {
  for (const version of ["7.0.0", "7.4.1", "8.2.0", "10.0.0"]) expect(versionObjection(version, "a:1")).toBeUndefined();
  for (const version of ["6.2.14", "", "unknown"]) {
    expect(versionObjection(version, "a:1")).toMatchObject({ store: "redis", kind: "wrong_version" });
  }
});

test("a replica and one that evicts are named with the command that mends it", () => {
  expect(factsObjections(good, "a:1")).toEqual([]);
  expect(factsObjections({ ...good, evictionPolicy: "allkeys-lru" }, "a:1")).toEqual([]);
  expect(factsObjections({ ...good, role: "slave" }, "a:1")).toMatchObject([{ kind: "read_only" }]);
  const [evicting] = factsObjections({ ...good, memoryBytesMax: 1_000, evictionPolicy: "volatile-ttl" }, "a:1");
  expect(evicting?.fix).toContain("config set maxmemory-policy noeviction");
});
