import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { createSeededRandom, randomBelow, type Random } from "../../../src/base/random.ts";
import type { Core, MessageDraft } from "../../../src/core/api.ts";
import { createCore } from "../../../src/core/create-core.ts";
import type { LogRow } from "../../../src/core/model.ts";
import type { MessageLog } from "../../../src/core/ports/message-log.ts";
import { directConversationId, type Uuid } from "../../../src/protocol/ids.ts";
import { WireError } from "../../../src/protocol/wire-errors.ts";
import { connectCassandra } from "../../../src/stores/cassandra/connect.ts";
import { createCassandraConversationLists } from "../../../src/stores/cassandra/conversation-lists.ts";
import { createCassandraMessageLog } from "../../../src/stores/cassandra/message-log.ts";
import { createCassandraReceipts } from "../../../src/stores/cassandra/receipts.ts";
import { readLog } from "../../contract/log-fixture.ts";
import { cassandraOptions, ownKeyspace } from "../../helpers/cassandra-keyspace.ts";
import { createMemoryWorld, type MemoryWorld } from "../../helpers/core-ports/core-ports.ts";
import { caller, textDraft } from "../../helpers/core-ports/delivery-core.ts";
import { checkLog } from "../../helpers/core-ports/log-checks.ts";
import { describeOn } from "../../helpers/real-stores.ts";

/** Small, so that most conversations cross several borders. */
const bucketRows = 4;
const messagesPerUser = 25;
const attemptsMax = 20;

interface Server {
  readonly core: Core;
  readonly log: MessageLog;
}

interface Sent {
  readonly conversationId: Uuid;
  readonly senderId: Uuid;
  readonly messageId: Uuid;
  readonly seq: number;
  /** Places in the order of everything that happened. */
  readonly begun: number;
  readonly acked: number;
}

describeOn(["cassandra"], "the core on Cassandra", () => {
  const config = ownKeyspace();
  const seed = randomInt(2 ** 31);

  /** Server processes with sessions of their own; what is not in Cassandra they share in memory. */
  async function startServers(world: MemoryWorld, count: number) {
    const options = cassandraOptions(config);
    const sessions = await Promise.all(Array.from({ length: count }, () => connectCassandra(options)));
    const servers = sessions.map((session): Server => {
      const log = createCassandraMessageLog(session, { bucketRows });
      const stores = {
        log,
        lists: createCassandraConversationLists(session),
        receipts: createCassandraReceipts(session),
      };
      const ports = { ...world.ports(), ...stores };
      const core = createCore(ports, {});
      ports.bus.subscribe({ deliver: () => undefined, notice: (notice) => core.hear(notice) });
      return { core, log };
    });
    return {
      servers,
      async [Symbol.asyncDispose]() {
        await Promise.all(sessions.map((session) => session.close()));
      },
    };
  }

  test(
    `keeps its promises with two servers on the same conversations (seed ${seed})`,
    { timeout: 60_000 },
    async () => {
      const random = createSeededRandom(seed);
      const world = createMemoryWorld({ random });
      await using running = await startServers(world, 3);
      const [one, other, fresh] = running.servers as [Server, Server, Server];
      const users = Array.from({ length: 4 }, () => world.user());
      const [owner, ...members] = users as [Uuid, ...Uuid[]];
      const late = world.user();
      const groupId = world.id();
      await one.core.groups.change(caller(owner), groupId, groupId, 0, {
        kind: "create",
        name: "all",
        userIds: members,
      });

      const talk = new Talk(world, random, [one, other], groupId);
      const add = { kind: "add", userIds: [late] } as const;
      const [, group] = await Promise.all([
        Promise.all(users.map((user) => talk.run(user, users))),
        other.core.groups.change(caller(owner), groupId, world.id(), 1, add),
      ]);
      expect(group.membership).toBe(2);

      expect(talk.sent.length).toBe(users.length * messagesPerUser);
      for (const [first, again] of talk.repeated) expect(again, "a repeat is the same message").toBe(first);
      for (const conversationId of new Set(talk.sent.map((sent) => sent.conversationId))) {
        const rows = await readLog(fresh.log, conversationId);
        checkLog(rows);
        checkAcks(
          rows,
          talk.sent.filter((sent) => sent.conversationId === conversationId),
        );
        const readers = conversationId === groupId ? [...users, late] : usersOf(conversationId, users);
        for (const userId of readers) await checkReader(fresh, userId, conversationId, rows);
      }
      const joined = (await fresh.core.reading.list(caller(late))).find((row) => row.conversationId === groupId);
      expect(joined?.joinedSeq).toBeGreaterThan(1);
    },
  );
});

/** Users who write to one another and to a group, each one message after the other, through any server. */
class Talk {
  readonly sent: Sent[] = [];
  /** The first answer and that to the repeat. */
  readonly repeated: (readonly [number, number])[] = [];
  readonly #world: MemoryWorld;
  readonly #random: Random;
  readonly #servers: readonly Server[];
  readonly #groupId: Uuid;
  #moment = 0;

  constructor(world: MemoryWorld, random: Random, servers: readonly Server[], groupId: Uuid) {
    this.#world = world;
    this.#random = random;
    this.#servers = servers;
    this.#groupId = groupId;
  }

  async run(senderId: Uuid, users: readonly Uuid[]): Promise<void> {
    const known = new Map<Uuid, number>();
    for (let turn = 0; turn < messagesPerUser; turn++) {
      const peer = users[randomBelow(this.#random, users.length)] as Uuid;
      const toGroup = this.#random.float() < 0.4;
      const conversationId = toGroup ? this.#groupId : directConversationId(senderId, peer);
      const to = toGroup ? { conversation: this.#groupId } : { user: peer };
      const draft = textDraft(this.#world, to, known.get(conversationId) ?? 0);
      const begun = this.#moment++;
      const seq = await this.#send(senderId, draft);
      const acked = this.#moment++;
      this.sent.push({ conversationId, senderId, messageId: draft.messageId, seq, begun, acked });
      if (this.#random.float() < 0.2) this.repeated.push([seq, await this.#send(senderId, draft)]);
      known.set(conversationId, seq);
    }
  }

  /** Through any server, again when it asks for that, as a client does. */
  async #send(senderId: Uuid, draft: MessageDraft): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const { delivery } = (this.#servers[randomBelow(this.#random, this.#servers.length)] as Server).core;
      try {
        return (await delivery.send(caller(senderId), delivery.createGate(), draft)).seq;
      } catch (error) {
        if (!(error instanceof WireError && error.temporary) || attempt === attemptsMax) throw error;
      }
    }
  }
}

const usersOf = (conversationId: Uuid, users: readonly Uuid[]): readonly Uuid[] =>
  users.filter((user) => users.some((peer) => directConversationId(user, peer) === conversationId));

/** I1, I2, I3: what was acked is in the log once, at its seq, and after everything that was acked before it was sent. */
function checkAcks(rows: readonly LogRow[], sent: readonly Sent[]): void {
  const seqs = new Map(rows.map((row) => [row.messageId, row]));
  for (const each of sent) {
    expect(seqs.get(each.messageId)).toMatchObject({ seq: each.seq, senderId: each.senderId });
    for (const later of sent) if (each.acked < later.begun) expect(each.seq).toBeLessThan(later.seq);
  }
  const system = rows.filter((row) => !sent.some(({ messageId }) => messageId === row.messageId));
  expect(system.map(({ kind }) => kind)).toEqual(system.map(() => 7));
}

/** I1, I8: the list knows the last row and the own ones, a page shows them, and what was read is counted. */
async function checkReader(server: Server, userId: Uuid, conversationId: Uuid, rows: readonly LogRow[]): Promise<void> {
  const who = caller(userId);
  const { reading, receipts } = server.core;
  const last = rows.at(-1) as LogRow;
  const listed = (await reading.list(who)).find((row) => row.conversationId === conversationId);
  const ownSeq = rows.findLast((row) => row.senderId === userId && row.kind !== 7)?.seq ?? 0;
  expect(listed).toMatchObject({ lastSeq: last.seq, lastUcount: last.ucount });
  expect(listed?.ownSeq).toBeGreaterThanOrEqual(ownSeq);
  const page = await reading.history(who, conversationId, undefined, 200);
  const joinedSeq = listed?.joinedSeq ?? 0;
  expect(page.messages.map(({ seq }) => seq)).toEqual(rows.map(({ seq }) => seq).filter((seq) => seq >= joinedSeq));
  const read = await receipts.read(who, { conversationId, from: joinedSeq, seq: last.seq });
  expect(read).toMatchObject({ accepted: true, registers: { read_seq: last.seq, read_ucount: last.ucount } });
  const mine = (await receipts.page(who, conversationId, undefined)).members.find((member) => member.userId === userId);
  expect(mine).toMatchObject({ readSeq: last.seq });
}
