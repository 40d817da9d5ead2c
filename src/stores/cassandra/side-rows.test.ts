import { describe, expect, test } from "vitest";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import type { ListWrite } from "../../core/model.ts";
import type { CassandraSession } from "./session.ts";
import { writeSideRows } from "./side-rows.ts";

/** Writes that the test answers one by one. */
function setUp() {
  const under: Deferred<void>[] = [];
  const write = (): Promise<void> => {
    const deferred = createDeferred<void>();
    under.push(deferred);
    return deferred.promise;
  };
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  return { session: { write } as unknown as CassandraSession, under, turn };
}

const chat = "0192f0c1-0000-7000-8000-0000000000c0";
const memberId = (index: number): string => `0192f0c1-0000-7000-8000-${String(index).padStart(12, "0")}`;
const listed = (index: number, more: Partial<ListWrite> = {}): ListWrite => ({
  userId: memberId(index),
  conversationId: chat,
  kind: "group",
  last: { seq: 3, ucount: 3, sender: memberId(0), at: 1 },
  ...more,
});

describe("list rows and receipts", () => {
  test("are written before own watermarks", async () => {
    const { session, under, turn } = setUp();
    const own = listed(0, { ownSeq: 3, read: { seq: 3, ucount: 3 } });
    const receipt = { conversationId: chat, userId: memberId(0), recv: { seq: 3, at: 1 } };
    const done = writeSideRows(session, [own, listed(1), listed(2)], [receipt], "ends");
    expect(under).toHaveLength(3);
    under[0]?.resolve();
    under[2]?.resolve();
    await turn();
    expect(under).toHaveLength(3);
    under[1]?.resolve();
    await turn();
    expect(under).toHaveLength(4);
    under[3]?.resolve();
    await done;
  });

  test("are written 64 at a time", async () => {
    const { session, under, turn } = setUp();
    const writes = Array.from({ length: 100 }, (_, index) => listed(index));
    const done = writeSideRows(session, writes, undefined, "ends");
    expect(under).toHaveLength(64);
    for (const one of under.slice(0, 10)) one.resolve();
    await turn();
    expect(under).toHaveLength(74);
    while (under.length < 100) {
      for (const one of under) one.resolve();
      await turn();
    }
    for (const one of under) one.resolve();
    await done;
  });

  test("stop at the first that fails, and end when nothing is under way", async () => {
    const { session, under, turn } = setUp();
    const writes = Array.from({ length: 100 }, (_, index) => listed(index, index === 0 ? { recvSeq: 1 } : {}));
    let ended = false;
    const done = writeSideRows(session, writes, undefined, "ends").finally(() => (ended = true));
    done.catch(() => undefined);
    under[5]?.reject(new Error("down"));
    await turn();
    expect([under.length, ended]).toEqual([64, false]);
    for (const one of under) one.resolve();
    await expect(done).rejects.toThrow("down");
    expect(under).toHaveLength(64);
  });
});
