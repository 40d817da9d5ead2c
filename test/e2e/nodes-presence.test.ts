import { beforeAll, expect, it } from "vitest";
import { api } from "../helpers/api.ts";
import { ownClusterServers } from "../helpers/cluster-servers.ts";
import { eventually } from "../helpers/eventually.ts";
import { metricOf } from "../helpers/metrics.ts";
import { messageTo, RawClient, type Frame } from "../helpers/raw-client.ts";
import { describeOn } from "../helpers/real-stores.ts";
import type { ServerProcess, TestUser } from "../helpers/server-process.ts";

/** What is promised within a second, and as much again for a machine that is busy with other tests. */
const promptlyMs = 2_000;
const isPresence = (online: boolean) => (frame: Frame) => frame.type === "PRESENCE" && frame["online"] === online;

describeOn(["cassandra", "postgres", "redis", "s3"], "presence and connections between two server processes", () => {
  const servers = ownClusterServers();
  let [north, south] = [] as unknown as [ServerProcess, ServerProcess];

  beforeAll(async () => {
    [north, south] = await Promise.all([servers.start(), servers.start()]);
  }, 60_000);

  const people = async (count: number) => (await north.createUsers(count)) as unknown as [TestUser, TestUser];

  it("who watches on one process hears within a second of people who come and go on another, each time", async () => {
    const [alice, bob] = await people(2);
    await using b = await RawClient.greet(south.wsUrl, bob);
    b.send({ type: "WATCH", user_ids: [alice.userId] });
    await b.expect(isPresence(false));
    // As often as this, a look every five seconds would not always be in time.
    for (let round = 0; round < 4; round++) {
      await using a = await RawClient.greet(north.wsUrl, alice);
      expect(await b.expect(isPresence(true), promptlyMs)).toMatchObject({ user_id: alice.userId });
      a.ws.close();
      expect(await b.expect(isPresence(false), promptlyMs)).toHaveProperty("last_seen");
    }
  }, 30_000);

  it("what people share, and whom they block, is told to watchers on another process within a second", async () => {
    const [alice, bob] = await people(2);
    await using a = await RawClient.greet(north.wsUrl, alice);
    await using b = await RawClient.greet(south.wsUrl, bob);
    b.send({ type: "WATCH", user_ids: [alice.userId] });
    await b.expect(isPresence(true));
    const call = { token: alice.token };
    const share = (last_seen: string) => api(north, "PATCH /api/me/settings", { ...call, body: { last_seen } });
    const block = { ...call, params: { id: bob.userId } };
    for (let round = 0; round < 2; round++) {
      await share("nobody");
      expect(await b.expect(isPresence(false), promptlyMs)).not.toHaveProperty("last_seen");
      await share("everyone");
      await b.expect(isPresence(true), promptlyMs);
      await api(north, "PUT /api/blocks/:id", block);
      await b.expect(isPresence(false), promptlyMs);
      await api(north, "DELETE /api/blocks/:id", block);
      await b.expect(isPresence(true), promptlyMs);
    }
    await share("contacts");
    await b.expect(isPresence(false), promptlyMs);
    await api(north, "PUT /api/contacts/:id", { ...block, body: {} });
    await b.expect(isPresence(true), promptlyMs);
    // Nothing of this was because alice went away.
    expect(a.ws.readyState).toBe(a.ws.OPEN);
  }, 30_000);

  it("a connection that was replaced on another process is told so within a second, without a heartbeat", async () => {
    const [alice] = await people(1);
    await using before = await RawClient.greet(north.wsUrl, alice);
    const closed = before.closed(promptlyMs);
    await using now = await RawClient.greet(south.wsUrl, alice);
    expect((await closed).code).toBe(4504);
    now.send({ type: "HEARTBEAT" });
    await now.expect((frame) => frame.type === "HEARTBEAT_ACK");
  });

  it.each([
    ["whose end waits behind it", (late: RawClient) => late.ws.terminate()],
    ["that is gone without a word", (late: RawClient) => late.ws.pause()],
  ])(
    "a HELLO that a paused process reads late does not take the device from the connection made since: of a client %s",
    async (_how, leave) => {
      const [alice, bob] = await people(2);
      await eventually(async () => expect(await metricOf(north, "msgr_connections")).toBe(0));
      const helloes = await metricOf(north, 'msgr_frames_received_total{type="HELLO"}');
      await using late = await RawClient.open(north.wsUrl, alice.token);
      north.process.kill("SIGSTOP");
      try {
        late.send({ type: "HELLO", device: alice.device, client: { name: "test", version: "1" } });
        leave(late);
        await using now = await RawClient.greet(south.wsUrl, alice);
        north.process.kill("SIGCONT");
        const heard = () => metricOf(north, 'msgr_frames_received_total{type="HELLO"}');
        await eventually(async () => expect(await heard()).toBeGreaterThan(helloes));
        // What north asks Redis after that comes after what the late HELLO made it ask.
        await using b = await RawClient.greet(north.wsUrl, bob);
        for (let since = 0; since < 3; since++) {
          const { message_id } = await b.ask(messageTo(alice.userId, "still there?", since));
          await now.expect((frame) => frame.message_id === message_id, 5_000);
          now.send({ type: "HEARTBEAT" });
          await now.expect((frame) => frame.type === "HEARTBEAT_ACK");
        }
      } finally {
        north.process.kill("SIGCONT");
      }
    },
    40_000,
  );

  it("a process whose name another one took sends its clients elsewhere and says so on /readyz", async () => {
    const robbed = await servers.start({ set: { "node.name": "robbed" } });
    const [alice] = await people(1);
    await using a = await RawClient.greet(robbed.wsUrl, alice);
    const closed = a.closed(30_000);
    const { commands, keys } = servers.redis();
    // Of a living process: it does not end by itself.
    await commands.set(keys.node("robbed"), "another epoch");
    expect((await closed).code).toBe(4002);
    const ready = await robbed.admin("GET", "/readyz");
    expect([ready.status, await ready.json()]).toEqual([503, { status: "no answer from the name of this process" }]);
    expect(robbed.stderr()).toMatch(/Another server process runs under the name \W*robbed/);
  }, 60_000);
});
