import { afterAll, beforeAll, expect, it } from "vitest";
import { api } from "../helpers/api.ts";
import { ownClusterServers } from "../helpers/cluster-servers.ts";
import { messageTo, RawClient, type Frame } from "../helpers/raw-client.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { hasRedis, startRedis } from "../helpers/redis-server.ts";
import { startTalk } from "../helpers/talk.ts";
import type { TestUser } from "../helpers/server-process.ts";

const pairs = 4;
const isMessage = (frame: Frame): boolean => frame.type === "NEW_MESSAGE";

describeOn(["cassandra", "postgres", "redis", "s3"], "a server process that is killed under traffic", () => {
  const servers = ownClusterServers({ "redis.presence_mode": "literal" });

  it("its clients go on elsewhere: nothing acked is lost or doubled, and who does not come back is gone within a minute", async () => {
    const [north, south] = await Promise.all([servers.start(), servers.start()]);
    const users = await north.createUsers(pairs * 2 + 2);
    const [leaver, watcher] = users.slice(-2) as [TestUser, TestUser];
    await using talks = new AsyncDisposableStack();
    const running = await Promise.all(
      Array.from({ length: pairs }, async (_, at) => {
        const [from, to] = users.slice(at * 2, at * 2 + 2) as [TestUser, TestUser];
        // Half of the people begin on either process.
        return talks.use(await startTalk([north.url, south.url], from, to, at));
      }),
    );
    await using gone = await RawClient.greet(north.wsUrl, leaver);
    await Promise.all(running.map((talk) => talk.progress(20)));
    const { commands, keys } = servers.redis();
    expect(await commands.pttl(keys.connection(leaver.userId))).toBeGreaterThan(0);

    expect(await north.stop("SIGKILL")).toBeNull();
    // Nobody renews what stands there about the leaver, so this is when it ends.
    for (const key of [keys.connection(leaver.userId), keys.online(leaver.userId)]) {
      const leftMs = await commands.pttl(key);
      expect([key, leftMs > 0, leftMs <= 60_000]).toEqual([key, true, true]);
    }
    expect(await commands.pttl(keys.online(leaver.userId))).toBeLessThanOrEqual(45_000);

    await Promise.all(running.map((talk) => talk.progress(20)));
    await Promise.all(running.map((talk) => talk.settle()));
    for (const talk of running) expect(talk.faults()).toEqual([]);
    expect(running.flatMap((talk) => talk.closes)).toContain(1006);

    expect((await gone.closed()).code).toBe(1006);
    const asked = { token: watcher.token, query: { ids: leaver.userId } };
    await expect
      .poll(async () => (await api(south, "GET /api/presence", asked)).body.presence[0]?.["online"], {
        timeout: 60_000,
      })
      .toBe(false);
    await expect.poll(() => commands.exists(keys.connection(leaver.userId)), { timeout: 20_000 }).toBe(0);
  }, 300_000);
});

describeOn(["cassandra", "postgres", "redis", "s3"], "presence of a killed process, in lease mode", () => {
  const servers = ownClusterServers({ "redis.presence_mode": "lease" });

  it("ends with its lease: within 15 seconds nobody of it is online, and what is for them is not sent to it", async () => {
    const [north, south] = await Promise.all([servers.start(), servers.start()]);
    const [leaver, watcher] = (await north.createUsers(2)) as unknown as [TestUser, TestUser];
    await using w = await RawClient.greet(south.wsUrl, watcher);
    await using gone = await RawClient.greet(north.wsUrl, leaver);
    w.send({ type: "WATCH", user_ids: [leaver.userId] });
    const isPresence = (online: boolean) => (frame: Frame) => frame.type === "PRESENCE" && frame["online"] === online;
    await w.expect(isPresence(true));
    await north.stop("SIGKILL");
    expect((await gone.closed()).code).toBe(1006);
    // The lease of 15 s, the next look of those who watch, and a busy machine. In literal mode it would be 45 s.
    await w.expect(isPresence(false), 40_000);
    // Whoever comes back finds everything that was written meanwhile.
    const { message_id } = await w.ask(messageTo(leaver.userId, "are you there?", 0));
    await using again = await RawClient.greet(south.wsUrl, leaver);
    again.send({ type: "SYNC", request: "all", cursors: [] });
    expect((await again.expect((frame) => frame.type === "SYNC_MESSAGES")).messages).toEqual([
      expect.objectContaining({ message_id }),
    ]);
  }, 180_000);
});

const redis = hasRedis ? await startRedis() : undefined;
afterAll(() => redis?.[Symbol.asyncDispose]());

// "redis" stands for redis-server on this machine: the one that is struck is this file's own.
describeOn(["cassandra", "postgres", "s3", "redis"], "a Redis that loses its memory", () => {
  const servers = ownClusterServers({ "redis.url": redis?.url ?? "redis://127.0.0.1:1" });

  beforeAll(async () => {
    await servers.redis().commands.flushall();
  });

  it("makes every device sync, finds everybody again, and costs no message", async () => {
    const [north, south] = await Promise.all([servers.start(), servers.start()]);
    const users = await north.createUsers(8);
    const [alice, bob] = users as unknown as [TestUser, TestUser];
    await using clients = new AsyncDisposableStack();
    const [a, b, ...others] = (await Promise.all(
      users.map(async (user, at) => clients.use(await RawClient.greet((at % 2 === 0 ? north : south).wsUrl, user))),
    )) as [RawClient, RawClient, ...RawClient[]];
    const first = await a.ask(messageTo(bob.userId, "before", 0));
    await b.expect(isMessage);
    await servers.redis().commands.flushall();
    // Nobody can be found now; whoever syncs when told to has it.
    const second = await a.ask(messageTo(bob.userId, "meanwhile", 1));
    const told = [a, b, ...others].map((client) => client.expect((frame) => frame.type === "RESYNC"));
    await Promise.all(told);
    const cursors = [{ conversation_id: first.conversation_id, seq: 1, read: 0, peer_recv: 0, peer_read: 0 }];
    b.send({ type: "SYNC", request: "again", cursors });
    await b.expect((frame) => frame.type === "SYNC_DONE");
    const seen = b.frames.flatMap((frame) =>
      frame.type === "SYNC_MESSAGES" ? frame.messages : isMessage(frame) ? [frame] : [],
    );
    expect(seen.map((row) => row.message_id)).toContain(second.message_id);
    const third = await a.ask(messageTo(bob.userId, "after", 2));
    expect(await b.expect((frame) => frame.message_id === third.message_id)).toMatchObject({ type: "NEW_MESSAGE" });
    const asked = { token: alice.token, query: { ids: bob.userId } };
    await expect
      .poll(async () => (await api(north, "GET /api/presence", asked)).body.presence[0]?.["online"], {
        timeout: 60_000,
      })
      .toBe(true);
  }, 180_000);

  it("under traffic loses and doubles nothing", async () => {
    const [north, south] = await Promise.all([servers.start(), servers.start()]);
    const [from, to] = (await north.createUsers(2)) as unknown as [TestUser, TestUser];
    await using talk = await startTalk([north.url, south.url], from, to);
    for (let round = 0; round < 3; round++) {
      await talk.progress(20);
      await servers.redis().commands.flushall();
    }
    await talk.progress(20);
    await talk.settle();
    expect(talk.faults()).toEqual([]);
  }, 240_000);
});
