import { expect, test } from "vitest";
import type { ListRow, ListWrite } from "../model.ts";
import { KnownRows } from "./known-rows.ts";
import { mergeListRow } from "./merge-list-row.ts";

const at = { userId: "u", conversationId: "c", kind: "direct" } as const;
const last = (seq: number): ListWrite => ({ ...at, last: { seq, ucount: seq, sender: "s", at: seq } });
const listed = (seq: number): ListRow => mergeListRow(undefined, last(seq)) as ListRow;

test("a row is known once it was learnt, and rises with what is written", () => {
  const known = new KnownRows();
  known.raise([last(1)]);
  expect(known.row("u", "c")).toBeUndefined();
  known.learn("u", listed(1));
  known.raise([
    { ...last(2), recvSeq: 1 },
    { ...at, userId: "another", recvSeq: 9 },
  ]);
  expect(known.row("u", "c")).toMatchObject({ lastSeq: 2, lastUcount: 2, recvSeq: 1 });
  known.raise([last(1)]);
  expect(known.row("u", "c")).toMatchObject({ lastSeq: 2, recvSeq: 1 });
  expect(known.size).toBe(1);
});

test("the end of a log is the highest seq that was heard", () => {
  const known = new KnownRows();
  for (const seq of [3, 7, 5]) known.heard("c", seq);
  expect(known.head("c")).toBe(7);
  expect(known.head("d")).toBe(0);
});

test("rows and ends are bounded: those that came first go first, what is learnt anew stays", () => {
  const known = new KnownRows(2);
  for (const user of ["u", "v", "u", "w"]) known.learn(user, listed(1));
  expect(["u", "v", "w"].map((user) => known.row(user, "c") !== undefined)).toEqual([true, false, true]);
  for (const conversation of ["c", "d", "e"]) known.heard(conversation, 1);
  expect(["c", "d", "e"].map((conversation) => known.head(conversation))).toEqual([0, 1, 1]);
});
