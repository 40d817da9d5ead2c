import { present } from "../../src/base/assert.ts";
import { bucketOf, emptyHead, type ListWrite, type LogRow, type Visibility } from "../../src/core/model.ts";
import { directConversationId, type Uuid } from "../../src/protocol/ids.ts";
import { isCountable, kinds } from "../../src/protocol/kinds.ts";
import type { MemoryWorld } from "./core-ports/core-ports.ts";

interface Saying {
  readonly kind?: number;
  readonly visibility?: Visibility;
  readonly envelope?: Uint8Array;
  /** False: the log row is durable and nobody's list row is, as after a crash between the two. */
  readonly listed?: boolean;
}

/** Writes a conversation straight into the stores, as a correct delivery would have: for tests of those who read it. */
export interface ConversationFixture {
  readonly id: Uuid;
  /** Appends one row and lists it for everyone who may see it. Answers its seq. */
  say(senderId: Uuid, saying?: Saying): Promise<number>;
  /** Any number of rows of one sender. */
  sayMany(senderId: Uuid, rows: number): Promise<void>;
}

export function directFixture(world: MemoryWorld, one: Uuid, other: Uuid): ConversationFixture {
  const id = directConversationId(one, other);
  const members = (): readonly Uuid[] => [...new Set([one, other])];
  return fixture(world, id, members, (userId) => ({
    userId,
    conversationId: id,
    kind: "direct",
    peerId: userId === one ? other : one,
  }));
}

export interface GroupFixture extends ConversationFixture {
  /** Commits, appends the system row, settles and lists, in that order. Answers the seq of the system row. */
  add(userId: Uuid): Promise<number>;
  remove(userId: Uuid): Promise<number>;
}

/** A group whose owner is the first of `userIds`; its creation is row 1. */
export async function groupFixture(world: MemoryWorld, ...userIds: readonly Uuid[]): Promise<GroupFixture> {
  const id = world.id();
  const ownerId = present(userIds[0], "an owner");
  const members = new Set<Uuid>();
  const target = (userId: Uuid): ListWrite => ({ userId, conversationId: id, kind: "group" });
  const base = fixture(world, id, () => [...members], target);

  const change = async (kind: "create" | "add" | "remove", changed: readonly Uuid[]): Promise<number> => {
    const group = await world.groups.load(id);
    const since = world.log.headOf(id)?.head ?? 0;
    const expectedVersion = group?.membership ?? 0;
    const joining = kind === "create" ? [ownerId, ...changed] : changed;
    await world.groups.commit({
      groupId: id,
      messageId: world.id(),
      since,
      actorId: ownerId,
      actorDevice: 1,
      kind,
      userIds: changed,
      name: "group",
      expectedVersion,
      at: world.clock.nowMs(),
    });
    if (kind !== "remove") for (const userId of joining) members.add(userId);
    const seq = await base.say(ownerId, { kind: kinds.system });
    await world.groups.settle(id, expectedVersion + 1, seq);
    const ucount = present(world.log.headOf(id), "head").headUcount;
    for (const userId of joining) {
      if (kind === "remove") {
        const joinedSeq = present(world.lists.rowOf(userId, id), "row").joinedSeq;
        members.delete(userId);
        await world.lists.write([
          { ...target(userId), membership: { seq, joinedSeq, leftSeq: seq + 1, leftUcount: ucount } },
        ]);
      } else {
        const read = { seq: seq - 1, ucount };
        const membership = { seq, joinedSeq: seq, leftSeq: 0, leftUcount: 0 };
        await world.lists.write([{ ...target(userId), membership, recvSeq: seq - 1, read }]);
      }
    }
    return seq;
  };

  await change("create", userIds.slice(1));
  return { ...base, add: (userId) => change("add", [userId]), remove: (userId) => change("remove", [userId]) };
}

function fixture(
  world: MemoryWorld,
  id: Uuid,
  members: () => readonly Uuid[],
  target: (userId: Uuid) => ListWrite,
): ConversationFixture {
  const say = async (senderId: Uuid, saying: Saying = {}): Promise<number> => {
    const newest = await world.log.newestBucket(id, 0, "latest");
    const head = newest?.head ?? emptyHead;
    const kind = saying.kind ?? kinds.text;
    const visibility = saying.visibility ?? 0;
    const row: LogRow = {
      seq: head.head + 1,
      messageId: world.id(),
      senderId,
      senderDevice: 1,
      sentAt: Math.max(world.clock.nowMs(), head.headAt),
      kind,
      visibility,
      ucount: head.headUcount + (isCountable(kind) && visibility === 0 ? 1 : 0),
      envelope: saying.envelope ?? new TextEncoder().encode(`row ${head.head + 1}`),
    };
    const last = { seq: row.seq, ucount: row.ucount, sender: senderId, at: row.sentAt };
    const listed = visibility === 1 ? [senderId] : members();
    const lists = listed.map((userId): ListWrite => ({
      ...target(userId),
      last,
      ...(userId === senderId ? { ownSeq: row.seq } : {}),
    }));
    const bucket = bucketOf(row.seq, world.log.bucketRows);
    const opens = newest?.bucket !== bucket;
    await world.log.append({
      conversationId: id,
      bucket,
      expect: head,
      opens,
      rows: [row],
      membership: head.membership,
      lists: saying.listed === false ? [] : lists,
    });
    return row.seq;
  };
  return {
    id,
    say,
    async sayMany(senderId, rows) {
      for (let count = 0; count < rows; count++) await say(senderId);
    },
  };
}
