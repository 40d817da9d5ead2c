import { expect, test } from "vitest";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import { ReceiptBatches } from "./receipt-batches.ts";
import type { CassandraSession, Statement } from "./session.ts";

const [chat, other] = ["0192f0c1-0000-7000-8000-0000000000c0", "0192f0c1-0000-7000-8000-0000000000c1"] as const;
const memberId = (index: number): string => `0192f0c1-0000-7000-8000-${String(index).padStart(12, "0")}`;
const receipt = (index: number, conversationId: string = chat) => ({
  conversationId,
  userId: memberId(index),
  recv: { seq: 3, at: 1 },
});
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Writes that the test answers one by one. */
function setUp() {
  const under: { readonly rows: number; readonly answered: Deferred<void> }[] = [];
  const write = (statements: readonly Statement[]): Promise<void> => {
    const answered = createDeferred<void>();
    under.push({ rows: statements.length, answered });
    return answered.promise;
  };
  const batches = new ReceiptBatches({ write } as unknown as CassandraSession);
  return { batches, under, rows: () => under.map(({ rows }) => rows) };
}

test("what comes while a write is under way goes with the next, sixty-four at most", async () => {
  const { batches, under, rows } = setUp();
  const first = batches.write(receipt(0));
  await turn();
  const rest = Array.from({ length: 100 }, (_, index) => batches.write(receipt(index + 1)));
  await turn();
  expect(rows()).toEqual([1]);
  for (let index = 0; index < 3; index++) {
    under[index]?.answered.resolve();
    await turn();
  }
  expect(rows()).toEqual([1, 64, 36]);
  await Promise.all([first, ...rest]);
});

test("those of one turn go together, and those of another conversation beside them", async () => {
  const { batches, rows } = setUp();
  for (const one of [receipt(0), receipt(1), receipt(2, other)]) void batches.write(one);
  await turn();
  expect(rows()).toEqual([2, 1]);
});

test("a failure is of those that went along; the next ones are written all the same", async () => {
  const { batches, under } = setUp();
  const failing = [batches.write(receipt(0)), batches.write(receipt(1))];
  const settled = Promise.allSettled(failing);
  await turn();
  const next = batches.write(receipt(2));
  under[0]?.answered.reject(new Error("down"));
  expect((await settled).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await turn();
  under[1]?.answered.resolve();
  await next;
});

test("one that comes when the last write is answered is not forgotten", async () => {
  const { batches, under, rows } = setUp();
  const first = batches.write(receipt(0));
  await turn();
  under[0]?.answered.resolve();
  await first;
  const second = batches.write(receipt(1));
  await turn();
  under[1]?.answered.resolve();
  await second;
  expect(rows()).toEqual([1, 1]);
});

test("more than can be waited for are refused", async () => {
  const { batches } = setUp();
  const writes = Array.from({ length: 4_097 }, () => batches.write(receipt(0)));
  await expect(writes.at(-1)).rejects.toMatchObject({ code: "overloaded" });
});
