import { describe, expect, it } from "vitest";
import { emptyStackFile, type StackProcess, withoutProcess, withProcess } from "./stack-file.ts";
import { folderError, StackError } from "./stack-error.ts";
import { partOf } from "./versions.ts";

const running = (name: string, pid: number): StackProcess => ({
  name,
  pid,
  startedAt: `boot ${pid}`,
  version: "1",
  address: "127.0.0.1:1",
  log: "log",
});

describe("stack.json", () => {
  it("has one process of a name: the last", () => {
    const file = withProcess(
      withProcess(withProcess(emptyStackFile, running("redis", 1)), running("s3", 2)),
      running("redis", 3),
    );
    expect(file.processes.map(({ name, pid }) => [name, pid])).toEqual([
      ["s3", 2],
      ["redis", 3],
    ]);
  });

  it("forgets the settings of a store whose process is gone, and nothing else", () => {
    const settings = { "cassandra.datacenter": "dc1", "redis.url": "redis://127.0.0.1:1", "s3.bucket": "b" };
    const file = {
      ...withProcess(withProcess(emptyStackFile, running("cassandra-2", 1)), running("redis", 2)),
      settings,
    };
    const after = withoutProcess({ ...file, ports: { cassandra: 9042 } }, "cassandra-2");
    expect(after.processes.map(({ name }) => name)).toEqual(["redis"]);
    expect(after.settings).toEqual({ "redis.url": "redis://127.0.0.1:1", "s3.bucket": "b" });
    expect(after.ports).toEqual({ cassandra: 9042 });
  });

  it("keeps the settings of a store as long as one of its processes is there", () => {
    const settings = { "cassandra.datacenter": "dc1" };
    const both = withProcess(withProcess(emptyStackFile, running("cassandra", 1)), running("cassandra-2", 2));
    const one = withoutProcess({ ...both, settings }, "cassandra");
    expect(one).toMatchObject({ processes: [{ name: "cassandra-2" }], settings });
    expect(withoutProcess(one, "cassandra-2").settings).toEqual({});
  });

  it("forgets where media is read when nginx is gone, not where it is kept", () => {
    const settings = { "s3.bucket": "b", "media.cdn_url": "http://127.0.0.1:1", "media.signing_key": "k" };
    const file = { ...withProcess(emptyStackFile, running("nginx", 1)), settings };
    expect(withoutProcess(file, "nginx").settings).toEqual({ "s3.bucket": "b" });
  });

  it("knows whose process a name is", () => {
    const names = ["cassandra-3", "s3", "server-12", "other"];
    expect(names.map(partOf)).toEqual(["cassandra", "s3", "server", undefined]);
  });
});

describe("folderError", () => {
  it.each([
    ["EACCES", "configuration"],
    ["EROFS", "configuration"],
    ["ENOTDIR", "configuration"],
    ["ENOSPC", "failed"],
  ])("%s is a matter of %s", (code, reason) => {
    const error = folderError(Object.assign(new Error("x"), { code }), "/stack");
    expect(error).toBeInstanceOf(StackError);
    expect(error).toMatchObject({ reason, message: expect.stringContaining("/stack") as string });
  });

  it("leaves other errors alone", () => {
    const other = new Error("x");
    expect(folderError(other, "/stack")).toBe(other);
  });
});
