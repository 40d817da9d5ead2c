import { existsSync, writeFileSync } from "node:fs";
import net from "node:net";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { messageTo, newMessageId, RawClient, refusal, type Frame } from "../helpers/raw-client.ts";
import { runCli, startServer, temporaryFolder, type TestUser } from "../helpers/server-process.ts";

async function pairOf(server: { createUsers(count: number): Promise<readonly TestUser[]> }) {
  return (await server.createUsers(2)) as unknown as readonly [TestUser, TestUser];
}

describe("a drain", () => {
  test("refuses newcomers, asks everyone to reconnect, closes with 4000, and exits 0", async () => {
    using folder = temporaryFolder();
    // Long enough for all that is asked of it before the last one has left.
    const spreadMs = 6_000;
    await using server = await startServer(`${folder.path}/data`, { set: { "drain.spread_ms": spreadMs } });
    const users = await server.createUsers(12);
    const clients = await Promise.all(users.map((user) => RawClient.greet(server.wsUrl, user)));
    const code = server.stop("SIGTERM");
    const told = await Promise.all(clients.map((client) => client.expect((frame) => frame.type === "RECONNECT")));
    const times = told.map((frame) => frame.after_ms);
    expect(Math.max(...times)).toBeLessThanOrEqual(spreadMs);
    expect(new Set(times).size).toBeGreaterThan(6);
    const token = users[0]?.token;
    const refused = await refusal(server.wsUrl, ["msgr.v1"], { authorization: `Bearer ${token}` });
    expect([refused.status, refused.problem["code"]]).toEqual([503, "draining"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    const ready = await fetch(`${server.adminUrl}/readyz`);
    expect([ready.status, (await fetch(`${server.adminUrl}/livez`)).status]).toEqual([503, 200]);
    const closes = await Promise.all(clients.map((client) => client.closed()));
    expect(new Set(closes.map((close) => close.code))).toEqual(new Set([4000]));
    expect(await code).toBe(0);
  });

  test("answers what is in flight first", async () => {
    using folder = temporaryFolder();
    await using server = await startServer(`${folder.path}/data`);
    const [alice, bob] = await pairOf(server);
    await using a = await RawClient.greet(server.wsUrl, alice);
    const ids = Array.from({ length: 300 }, newMessageId);
    for (const id of ids) a.send({ ...messageTo(bob.userId, "x", 0, id), request: id });
    await a.expect((frame) => frame.type === "ACK");
    const code = server.stop("SIGTERM");
    expect(await a.closed()).toMatchObject({ code: 4000 });
    expect(await code).toBe(0);
    const acked = new Set(a.frames.filter((frame) => frame.type === "ACK").map((frame) => frame["message_id"]));
    await using again = await startServer(`${folder.path}/data`);
    await using reader = await RawClient.greet(again.wsUrl, alice);
    const stored = await allIds(reader);
    expect(acked.difference(new Set(stored))).toEqual(new Set());
  });

  test("asked for through the administrative port ends the process as well", async () => {
    using folder = temporaryFolder();
    await using server = await startServer(`${folder.path}/data`);
    expect((await server.admin("POST", "/admin/drain")).status).toBe(202);
    await once(server.process, "close");
    expect(server.process.exitCode).toBe(0);
  });
});

describe("a data folder", () => {
  test("that another server has open is refused with exit 6 and its pid", async () => {
    using folder = temporaryFolder();
    await using server = await startServer(`${folder.path}/data`);
    const second = await runCli(["serve", "--data", `${folder.path}/data`, "--port", "0", "--json"]);
    expect(second.code).toBe(6);
    expect(second.stderr).toContain(String(server.pid));
    expect(second.stderr).toContain("fix:");
    expect(JSON.parse(second.stdout)).toMatchObject({ error: { exit: 6 } });
    const [alice] = await pairOf(server);
    await using still = await RawClient.greet(server.wsUrl, alice);
    expect(still.ws.readyState).toBe(WebSocket.OPEN);
  });

  test("of a killed server opens again, with everything that was acked", async () => {
    using folder = temporaryFolder();
    const first = await startServer(`${folder.path}/data`);
    const [alice, bob] = await pairOf(first);
    const a = await RawClient.greet(first.wsUrl, alice);
    const { conversation_id } = await a.ask(messageTo(bob.userId, "kept", 0));
    expect(await first.stop("SIGKILL")).toBeNull();
    await using second = await startServer(`${folder.path}/data`);
    await using b = await RawClient.greet(second.wsUrl, bob);
    const page = await b.ask({ type: "HISTORY", conversation_id });
    expect(page["messages"]).toHaveLength(1);
  });

  test("that is a file, or cannot be made, is a wrong configuration with a fix", async () => {
    using folder = temporaryFolder();
    writeFileSync(`${folder.path}/file`, "");
    const ended = await runCli(["serve", "--data", `${folder.path}/file`, "--port", "0"]);
    expect([ended.code, ended.stderr.includes("fix:")]).toEqual([3, true]);
  });

  test("that reaches its size bound refuses sends with storage_full, keeps what was acked, and the server stays up", async () => {
    using folder = temporaryFolder();
    await using server = await startServer(`${folder.path}/data`, { set: { "data.size_bytes_max": 8 * 1024 * 1024 } });
    const [alice, bob] = await pairOf(server);
    await using a = await RawClient.greet(server.wsUrl, alice);
    const acked: number[] = [];
    let full: Frame | undefined;
    for (let count = 0; full === undefined && count < 400; count++) {
      const answer = await a.ask(messageTo(bob.userId, "x".repeat(45_000), acked.length));
      if (answer.type === "ACK") acked.push(answer.seq);
      else full = answer;
    }
    expect(full).toMatchObject({ type: "ERROR", code: "storage_full", temporary: true });
    expect(full?.["undecided"]).toBeUndefined();
    expect(acked.length).toBeGreaterThan(10);
    const ids = await allIds(a);
    expect(ids).toHaveLength(acked.length);
  });
});

describe("a port", () => {
  test("that is taken is refused with exit 6 and a fix, but --dev takes another", async () => {
    using folder = temporaryFolder();
    const blocker = net.createServer().listen(8080, "127.0.0.1");
    // Where somebody else has it already, it is just as taken.
    await Promise.race([once(blocker, "listening"), once(blocker, "error").catch(() => undefined)]);
    try {
      const ended = await runCli(["serve", "--data", `${folder.path}/data`]);
      expect([ended.code, ended.stderr.includes("--port")]).toEqual([6, true]);
      await using dev = await startServer(`${folder.path}/data`, { words: ["serve", "--dev", "--json"] });
      expect(new URL(dev.url).port).not.toBe("8080");
    } finally {
      blocker.close();
    }
  });
});

describe("--dev", () => {
  test("keeps its data beside the working folder, has people to log in as, and says what it is not for", async () => {
    using folder = temporaryFolder();
    const words = ["serve", "--dev", "--json", "--port", "0"];
    for (const round of ["first", "again"]) {
      await using server = await startServer(`${folder.path}/data`, { words });
      for (const handle of ["alice", "bob"]) {
        const body = JSON.stringify({ handle, password: `${handle}-demo`, device: 1 });
        const headers = { "content-type": "application/json" };
        const login = await fetch(`${server.url}/api/login`, { method: "POST", headers, body });
        expect([round, login.status]).toEqual([round, 200]);
      }
      await expect.poll(() => server.stderr()).toContain(`chat @bob --as alice-${new URL(server.url).port}`);
      expect(server.stderr()).toContain("Not for production");
      expect(existsSync(`${folder.path}/.msgr/dev`)).toBe(true);
    }
  });
});

/** Ids of every message of the only conversation of the reader, oldest first. */
async function allIds(reader: RawClient): Promise<string[]> {
  reader.send({ type: "SYNC", request: "all", cursors: [] });
  await reader.expect((frame) => frame.type === "SYNC_DONE");
  const page = await reader.expect((frame) => frame.type === "SYNC_MESSAGES");
  const { conversation_id, registers } = page as unknown as {
    conversation_id: string;
    registers: { last_seq: number };
  };
  const ids: string[] = [];
  for (let from = 1; from <= registers.last_seq;) {
    const range = await reader.ask({ type: "RANGE", conversation_id, from, to: registers.last_seq });
    for (const row of range["messages"]) ids.push(row.message_id);
    from = range.to + 1;
  }
  return ids;
}
