import { afterAll, beforeAll, expect, it } from "vitest";
import { mergeRegisters, unknownRegisters } from "../../src/client/machine/registers.ts";
import { createClient, type Client } from "../../src/client/runtime/client.ts";
import { MemoryStorage } from "../../src/client/storage/memory.ts";
import type { Registers } from "../../src/protocol/fields.ts";
import { directConversationId } from "../../src/protocol/ids.ts";
import { api } from "../helpers/api.ts";
import { ownClusterServers } from "../helpers/cluster-servers.ts";
import { eventually } from "../helpers/eventually.ts";
import { messageTo, RawClient, type Frame } from "../helpers/raw-client.ts";
import { describeOn } from "../helpers/real-stores.ts";
import type { ServerProcess, TestUser } from "../helpers/server-process.ts";

const waitMs = 45_000;
type Pair = readonly [TestUser, TestUser];

/**
 * A server judges receipts by what it remembers, and answers with that: what another one wrote meanwhile, for another
 * device of the user or for the peer, may be missing. Devices merge, so they end with what the store has.
 */
describeOn(["cassandra", "postgres", "redis", "s3"], "receipts that cross on two server processes", () => {
  const servers = ownClusterServers();
  let [north, south] = [] as unknown as [ServerProcess, ServerProcess];
  const open: Client[] = [];

  beforeAll(async () => {
    [north, south] = await Promise.all([servers.start(), servers.start()]);
  }, 180_000);

  // Before the servers go.
  afterAll(() => Promise.all(open.map((client) => client.close())));

  /** Two devices of each of two users. */
  async function people(): Promise<readonly [Pair, Pair]> {
    const [a1, a2, b1, b2] = (await north.createUsers(2, 2)) as unknown as [TestUser, TestUser, TestUser, TestUser];
    return [
      [a1, a2],
      [b1, b2],
    ];
  }

  async function clientOf(server: ServerProcess, { userId, device, token }: TestUser): Promise<Client> {
    const session = { userId, device, accessToken: token, accessExpiresAt: Date.now() + 3_600_000 };
    const client = createClient({
      url: server.url,
      storage: new MemoryStorage(),
      session: { ...session, refreshToken: undefined },
    });
    open.push(client);
    client.connect();
    await client.synced(waitMs);
    return client;
  }

  async function storedOf(server: ServerProcess, { token }: TestUser): Promise<Registers> {
    const { conversations } = (await api(server, "GET /api/conversations", { token })).body;
    return conversations[0]?.registers as unknown as Registers;
  }

  it("an answer may lack what was written elsewhere, shows nothing that is not so, and takes nothing back", async () => {
    const [[a1, a2], [bob]] = await people();
    await using near = await RawClient.greet(north.wsUrl, a1);
    await using far = await RawClient.greet(south.wsUrl, a2);
    await using peer = await RawClient.greet(south.wsUrl, bob);
    const conversation_id = directConversationId(a1.userId, bob.userId);
    let held: Registers = unknownRegisters;
    const receipt = async (client: RawClient, type: string, from: number, seq: number): Promise<Registers> => {
      const answer = await client.ask({ type, conversation_id, from, seq });
      expect(answer).toMatchObject({ type: "RECEIPT_ACK", accepted: true });
      return answer.registers as unknown as Registers;
    };
    const hear = (client: RawClient, seq: number): Promise<Frame> =>
      client.expect((frame) => frame.type === "NEW_MESSAGE" && frame.seq === seq);

    for (let since = 0; since < 4; since++) await peer.ask(messageTo(a1.userId, "x", since));
    await hear(near, 4);
    // From now on this server remembers the row.
    held = mergeRegisters(held, await receipt(near, "READ_RECEIPT", 1, 2));
    // Behind its back: the other device reads on, writes, and is read.
    held = mergeRegisters(held, await receipt(far, "READ_RECEIPT", 1, 4));
    await far.ask(messageTo(bob.userId, "y", 4));
    await receipt(peer, "READ_RECEIPT", 1, 5);
    await peer.ask(messageTo(a1.userId, "z", 5));
    await hear(near, 6);
    const answer = await receipt(near, "DELIVERED", 3, 6);
    // The case that is meant, or the rest says nothing.
    expect(answer).toMatchObject({ recv_seq: 6, read_seq: 2, peer_read_seq: 0 });
    const stored = await storedOf(north, a1);
    expect(stored).toMatchObject({ recv_seq: 6, read_seq: 4, peer_recv_seq: 5, peer_read_seq: 5, last_seq: 6 });
    expect(await storedOf(south, a2)).toEqual(stored);
    // Nothing in the answer is above the store, so to merge it changes nothing there.
    expect(mergeRegisters(stored, answer)).toBe(stored);
    const isTold = (userId: string, seq: number) =>
      near.expect(
        (frame) => frame.type === "STATUS_UPDATE" && frame["user_id"] === userId && frame["read_seq"] === seq,
      );
    expect(await isTold(a1.userId, 4)).toMatchObject({ read_ucount: 4 });
    expect(await isTold(bob.userId, 5)).toMatchObject({ recv_seq: 5 });
    expect(mergeRegisters(held, answer)).toMatchObject({ recv_seq: 6, read_seq: 4 });
  });

  it("devices of both users, each on the other process than its twin, end with the maximum of all", async () => {
    const [[a1, a2], [b1, b2]] = await people();
    const chat = directConversationId(a1.userId, b1.userId);
    const clients = await Promise.all([
      clientOf(north, a1),
      clientOf(south, a2),
      clientOf(south, b1),
      clientOf(north, b2),
    ]);
    const [first, second, third, fourth] = clients;
    const rounds = 12;
    for (let round = 0; round < rounds; round++) {
      const [from, to] = round % 2 === 0 ? [first, b1] : [third, a1];
      const outgoing = from.send({ to: { user: to.userId }, body: { text: `${round}` } });
      const { seq } = await outgoing.reached("sent", waitMs);
      await Promise.all(clients.map((client) => eventually(() => expect(client.conversation(chat)?.filled).toBe(seq))));
      // Now the one device has it on screen, now the other; receipts of all four are under way at once.
      for (const [one, other] of [
        [first, second],
        [fourth, third],
      ] as const) {
        (round % 3 === 0 ? one : other).markRead(chat, seq);
      }
    }
    for (const client of clients) client.markRead(chat, rounds);
    // Whoever wrote the last row owes no receipt for it, and may have given one for it with the row before.
    for (const [client, server, user, owed] of [
      [first, north, a1, rounds],
      [second, south, a2, rounds],
      [third, south, b1, rounds - 1],
      [fourth, north, b2, rounds - 1],
    ] as const) {
      await eventually(async () => {
        const stored = await storedOf(server, user);
        const { recv_seq, read_seq, read_ucount, peer_recv_seq, peer_read_seq } = stored;
        expect(Math.min(recv_seq, read_seq)).toBeGreaterThanOrEqual(owed);
        expect(Math.min(peer_recv_seq, peer_read_seq)).toBeGreaterThanOrEqual(owed === rounds ? rounds - 1 : rounds);
        // What a twin stored, no device is told of.
        const held = client.conversation(chat)?.registers;
        expect(held).toMatchObject({ last_seq: rounds, read_seq, read_ucount, peer_recv_seq, peer_read_seq });
        expect(held?.recv_seq).toBeGreaterThanOrEqual(owed);
      });
      expect(client.unread(chat)).toEqual({ count: 0, more: false });
    }
    expect([first, second].map((client) => client.statusOf(chat, rounds - 1, undefined))).toEqual(["read", "read"]);
    expect([third, fourth].map((client) => client.statusOf(chat, rounds, undefined))).toEqual(["read", "read"]);
  });

  it("a device does not lose what it was told by an answer that lacks it", async () => {
    const [[a1, a2], [bob]] = await people();
    const chat = directConversationId(a1.userId, bob.userId);
    await using peer = await RawClient.greet(south.wsUrl, bob);
    const near = await clientOf(north, a1);
    const far = await clientOf(south, a2);
    const registers = () => near.conversation(chat)?.registers;
    // At least: what was read may move on over the own row behind it.
    const isAtLeast = (what: Partial<Registers>): void => {
      const held: Partial<Registers> = registers() ?? {};
      for (const [name, seq] of Object.entries(what))
        expect([name, held[name as keyof Registers]]).toEqual([name, expect.toSatisfy((each: number) => each >= seq)]);
    };
    const shows = (what: Partial<Registers>) => eventually(() => isAtLeast(what));
    for (let since = 0; since < 4; since++) await peer.ask(messageTo(a1.userId, "x", since));
    await shows({ last_seq: 4 });
    near.markRead(chat, 2);
    await eventually(async () => expect(await storedOf(north, a1)).toMatchObject({ read_seq: 2 }));
    await eventually(() => expect(far.conversation(chat)?.filled).toBe(4));
    far.markRead(chat, 4);
    await far.send({ to: { user: bob.userId }, body: { text: "y" } }).reached("sent", waitMs);
    const read = await peer.ask({ type: "READ_RECEIPT", conversation_id: chat, from: 1, seq: 5 });
    expect(read).toMatchObject({ accepted: true });
    await shows({ read_seq: 4, peer_recv_seq: 5, peer_read_seq: 5 });
    const seen: Registers[] = [registers() as Registers];
    near.onEvent(() => void seen.push(registers() as Registers));
    await peer.ask(messageTo(a1.userId, "z", 5));
    await shows({ recv_seq: 6, read_seq: 4, peer_recv_seq: 5, peer_read_seq: 5 });
    expect(seen.length).toBeGreaterThan(1);
    for (const [at, each] of seen.slice(1).entries()) {
      const before = seen[at] as Registers;
      expect(mergeRegisters(each, before)).toBe(each);
    }
  });
});
