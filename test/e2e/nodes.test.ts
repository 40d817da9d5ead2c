import { beforeAll, expect, it } from "vitest";
import { api, refused } from "../helpers/api.ts";
import { ownClusterServers } from "../helpers/cluster-servers.ts";
import { eventually } from "../helpers/eventually.ts";
import { messageTo, newMessageId, RawClient, type Frame } from "../helpers/raw-client.ts";
import { describeOn } from "../helpers/real-stores.ts";
import type { ServerProcess, TestUser } from "../helpers/server-process.ts";

/** What happens at once, on a machine that is busy with other tests. */
const promptlyMs = 20_000;
const isMessage = (frame: Frame): boolean => frame.type === "NEW_MESSAGE";
const isPresence = (online: boolean) => (frame: Frame) => frame.type === "PRESENCE" && frame["online"] === online;

describeOn(["cassandra", "postgres", "redis", "s3"], "three server processes", () => {
  const servers = ownClusterServers();
  let [north, south, west] = [] as unknown as [ServerProcess, ServerProcess, ServerProcess];

  beforeAll(async () => {
    [north, south, west] = await Promise.all([servers.start(), servers.start(), servers.start()]);
  }, 180_000);

  /** The devices of `count` users, by user. */
  async function people(count: number, devices = 1): Promise<TestUser[][]> {
    const made = await north.createUsers(count, devices);
    return Array.from({ length: count }, (_, at) => made.slice(at * devices, (at + 1) * devices));
  }

  it("a message reaches every device of both users, wherever they are connected, and once", async () => {
    const [[a1, a2], [b1, b2, b3]] = (await people(2, 3)) as [TestUser[], TestUser[]] as [
      [TestUser, TestUser],
      [TestUser, TestUser, TestUser],
    ];
    await using sender = await RawClient.greet(north.wsUrl, a1);
    await using ownOther = await RawClient.greet(west.wsUrl, a2);
    await using near = await RawClient.greet(north.wsUrl, b1);
    await using far = await RawClient.greet(south.wsUrl, b2);
    await using farther = await RawClient.greet(west.wsUrl, b3);
    for (let since = 0; since < 20; since++) {
      const sent = await sender.ask(messageTo(b1.userId, `${since}`, since));
      expect(sent).toMatchObject({ type: "ACK", seq: since + 1 });
      for (const client of [ownOther, near, far, farther]) {
        expect(await client.expect(isMessage)).toMatchObject({ message_id: sent.message_id, seq: since + 1 });
      }
    }
    for (const client of [sender, ownOther, near, far, farther]) expect(client.frames.filter(isMessage)).toEqual([]);
  });

  it("messages that both write at once on different processes have one order for everyone", async () => {
    const [[alice], [bob]] = (await people(2)) as [[TestUser], [TestUser]];
    await using a = await RawClient.greet(north.wsUrl, alice);
    await using b = await RawClient.greet(south.wsUrl, bob);
    const write = (client: RawClient, to: TestUser) =>
      Array.from({ length: 15 }, (_, at) => client.ask(messageTo(to.userId, `${at}`, 0)));
    const acks = await Promise.all([...write(a, bob), ...write(b, alice)]);
    const order = acks.toSorted((one, other) => one.seq - other.seq).map((ack) => ack.message_id);
    expect(acks.map((ack) => ack.seq).toSorted((one, other) => one - other)).toEqual(order.map((_, at) => at + 1));
    for (const client of [a, b]) {
      const range = { type: "RANGE", conversation_id: acks[0]?.conversation_id, from: 1, to: 30 };
      const page = await client.ask(range);
      expect(page.messages.map((row) => row.message_id)).toEqual(order);
    }
  });

  it("receipts, own reading and typing are told across processes", async () => {
    const [[a1], [b1, b2]] = (await people(2, 2)) as [[TestUser], [TestUser, TestUser]];
    await using a = await RawClient.greet(north.wsUrl, a1);
    await using b = await RawClient.greet(south.wsUrl, b1);
    await using other = await RawClient.greet(west.wsUrl, b2);
    const { conversation_id } = await a.ask(messageTo(b1.userId, "hello", 0));
    await b.expect(isMessage);
    await b.ask({ type: "DELIVERED", conversation_id, from: 1, seq: 1 });
    const isStatus = (frame: Frame): boolean => frame.type === "STATUS_UPDATE";
    expect(await a.expect(isStatus)).toMatchObject({ user_id: b1.userId, recv_seq: 1, read_seq: 0 });
    await b.ask({ type: "READ_RECEIPT", conversation_id, from: 1, seq: 1 });
    expect(await a.expect((frame) => isStatus(frame) && frame["read_seq"] === 1)).toMatchObject({ recv_seq: 1 });
    const isOwn = (frame: Frame): boolean =>
      isStatus(frame) && frame["user_id"] === b1.userId && frame["read_seq"] === 1;
    expect(await other.expect(isOwn)).toMatchObject({ conversation_id });
    b.send({ type: "TYPING", conversation_id });
    expect(await a.expect((frame) => frame.type === "TYPING")).toEqual({
      type: "TYPING",
      conversation_id,
      user_id: b1.userId,
    });
  });

  it("a newer connection of a device on another process replaces the older one, which gets 4504 with a heartbeat", async () => {
    const [[alice], [bob]] = (await people(2)) as [[TestUser], [TestUser]];
    await using before = await RawClient.greet(north.wsUrl, alice);
    await using now = await RawClient.greet(south.wsUrl, alice);
    // The process of the older one hears of it a moment later, and asks with the heartbeat after that.
    await eventually(() => {
      before.send({ type: "HEARTBEAT" });
      expect(before.ws.readyState).not.toBe(before.ws.OPEN);
    });
    expect((await before.closed()).code).toBe(4504);
    await using b = await RawClient.greet(west.wsUrl, bob);
    const { message_id } = await b.ask(messageTo(alice.userId, "where are you", 0));
    expect(await now.expect(isMessage)).toMatchObject({ message_id });
    now.send({ type: "HEARTBEAT" });
    await now.expect((frame) => frame.type === "HEARTBEAT_ACK");
  });

  it("who watches on one process sees people come and go on another", async () => {
    const [[alice], [bob]] = (await people(2)) as [[TestUser], [TestUser]];
    await using b = await RawClient.greet(south.wsUrl, bob);
    b.send({ type: "WATCH", user_ids: [alice.userId] });
    await b.expect(isPresence(false));
    await using a = await RawClient.greet(north.wsUrl, alice);
    const asked = { token: bob.token, query: { ids: alice.userId } };
    await eventually(async () =>
      expect((await api(west, "GET /api/presence", asked)).body.presence[0]).toMatchObject({ online: true }),
    );
    expect(await b.expect(isPresence(true))).toMatchObject({ user_id: alice.userId });
    a.ws.close();
    expect(await b.expect(isPresence(false))).toMatchObject({ last_seen: expect.any(Number) as number });
    expect((await api(west, "GET /api/presence", asked)).body.presence[0]).toMatchObject({ online: false });
  });

  it("a block made on one process holds on the others soon, and so does its end", async () => {
    const [[alice], [bob]] = (await people(2)) as [[TestUser], [TestUser]];
    await using a = await RawClient.greet(north.wsUrl, alice);
    let since = 0;
    const write = () => a.ask(messageTo(bob.userId, "x", since++));
    const { conversation_id } = await write();
    const call = { token: bob.token, params: { id: alice.userId } };
    for (const [operation, status, kind] of [
      ["PUT /api/blocks/:id", 204, 0],
      ["DELETE /api/blocks/:id", 204, 1],
    ] as const) {
      expect((await api(south, operation, call)).status).toBe(status);
      await using b = await RawClient.greet(west.wsUrl, bob);
      await eventually(async () => {
        const { seq } = await write();
        const page = await b.ask({ type: "RANGE", conversation_id, from: seq, to: seq });
        expect([operation, page.messages]).toEqual([operation, [expect.objectContaining({ seq, kind })]]);
      });
    }
  });

  it("members added and removed on one process are members, and none, on the others at once", async () => {
    const [[owner], [member], [newcomer]] = (await people(3)) as [[TestUser], [TestUser], [TestUser]];
    const body = { group_id: newMessageId(), message_id: newMessageId(), name: "Hiking", user_ids: [member.userId] };
    const made = (await api(north, "POST /api/groups", { token: owner.token, body })).body;
    const conversation = body.group_id;
    const write = (client: RawClient, since: number) =>
      client.ask({ ...messageTo("", "x", since), to: { conversation } });
    await using o = await RawClient.greet(north.wsUrl, owner);
    await using m = await RawClient.greet(south.wsUrl, member);
    await using n = await RawClient.greet(west.wsUrl, newcomer);
    // Now every process has the group in its cache.
    expect((await write(o, 0)).type).toBe("ACK");
    expect((await write(m, 0)).type).toBe("ACK");
    const add = { message_id: newMessageId(), expected_version: made.membership, user_ids: [newcomer.userId] };
    const params = { id: conversation };
    const added = await api(south, "PUT /api/groups/:id/members", { token: owner.token, params, body: add });
    expect(added.status).toBe(200);
    const welcomed = await write(o, 0);
    expect(await n.expect((frame) => frame.message_id === welcomed.message_id)).toMatchObject({ seq: welcomed.seq });
    expect((await write(n, 0)).type).toBe("ACK");
    const removal = { message_id: newMessageId(), expected_version: added.body.membership };
    const removed = await api(west, "DELETE /api/groups/:id/members/:user", {
      token: owner.token,
      params: { id: conversation, user: member.userId },
      query: removal,
    });
    expect(removed.status).toBe(200);
    expect(await write(m, 0)).toMatchObject({ type: "ERROR", code: "not_a_member" });
    expect(await api(south, "GET /api/groups/:id", { token: member.token, params })).toEqual(refused("not_a_member"));
    m.frames.length = 0;
    const after = await write(o, 0);
    await n.expect((frame) => frame.message_id === after.message_id);
    expect(m.frames.some((frame) => frame.message_id === after.message_id)).toBe(false);
  });

  it("a session that ends on one process ends its connection on another at once, with the reason", async () => {
    const [[alice, laptop, tablet]] = (await people(1, 3)) as [[TestUser, TestUser, TestUser]];
    await using removed = await RawClient.greet(south.wsUrl, laptop);
    await using loggedOut = await RawClient.greet(west.wsUrl, tablet);
    await using stays = await RawClient.greet(west.wsUrl, alice);
    const [byRemoval, byLogout] = [removed.closed(promptlyMs), loggedOut.closed(promptlyMs)];
    await api(north, "DELETE /api/devices/:device", { token: alice.token, params: { device: laptop.device } });
    expect((await byRemoval).code).toBe(4502);
    await api(north, "POST /api/logout", { token: tablet.token, body: { scope: "device" } });
    expect((await byLogout).code).toBe(4501);
    stays.send({ type: "HEARTBEAT" });
    await stays.expect((frame) => frame.type === "HEARTBEAT_ACK");
  });

  it("a second process under a taken name does not start, says why, and leaves the first alone", async () => {
    const set = { "node.name": "twin" };
    const first = await servers.start({ set });
    await expect(servers.start({ set })).rejects.toThrow(
      /ended with 6 before it was ready[^]*another server process runs under the name "twin"[^]*fix: Give each process a node\.name/i,
    );
    const [[alice], [bob]] = (await people(2)) as [[TestUser], [TestUser]];
    await using a = await RawClient.greet(first.wsUrl, alice);
    await using b = await RawClient.greet(south.wsUrl, bob);
    await b.ask(messageTo(alice.userId, "still there?", 0));
    await a.expect(isMessage);
    expect((await first.admin("GET", "/readyz")).status).toBe(200);
    expect(await first.stop("SIGTERM")).toBe(0);
  }, 240_000);
});
