import { describe, expect, test } from "vitest";
import { checkAckedInLog } from "./check-acked-in-log.ts";
import { checkConvergence } from "./check-convergence.ts";
import { checkDistinct } from "./check-distinct.ts";
import { checkOrder } from "./check-order.ts";
import { checkStatus } from "./check-status.ts";
import { checkUnread } from "./check-unread.ts";
import { type FaultReport, FaultList } from "./faults.ts";
import { addRow, emptyHash } from "./row-hash.ts";
import type { LogRow, SentMessage } from "./types.ts";

/** The checkers alone, with names as the simulator has them. */
const row = (seq: number, id: string, over: Partial<LogRow> = {}): LogRow => ({
  seq,
  id,
  sender: "ann/1",
  user: "ann",
  n: seq,
  countable: true,
  ...over,
});
const sent = (id: string, over: Partial<SentMessage> = {}): SentMessage => ({
  id,
  sender: "ann/1",
  n: 1,
  outcome: "acked",
  seq: 1,
  sentAt: 0,
  ackedAt: 1,
  ...over,
});

function found(check: (faults: FaultList) => unknown): FaultReport["counts"] {
  const faults = new FaultList();
  check(faults);
  return faults.report().counts;
}

test("I1 counts the undecided that made it", () => {
  const outcome = { outcome: "undecided", ackedAt: Number.POSITIVE_INFINITY } as const;
  const sentMessages = [sent("a"), sent("b", outcome), sent("c", outcome)];
  const faults = new FaultList();
  const log = [row(1, "a"), row(2, "b")];
  expect(checkAckedInLog({ conversation: "x", sent: sentMessages, log, lists: [] }, faults)).toBe(1);
  expect(faults.total()).toBe(0);
});

test("I1 notices lists that lag", () => {
  const lists = [
    { member: "ann", lastSeq: 1 },
    { member: "bob", lastSeq: 0 },
  ];
  expect(
    found((faults) => checkAckedInLog({ conversation: "x", sent: [], log: [row(1, "a")], lists }, faults)),
  ).toEqual({
    not_listed: 1,
  });
});

test("I2 tolerates unknown senders when told to", () => {
  expect(found((faults) => checkDistinct("x", [row(1, "a"), row(2, "b")], undefined, faults))).toEqual({});
  expect(found((faults) => checkDistinct("x", [row(1, "a"), row(2, "b")], [sent("a")], faults))).toEqual({
    invented: 1,
  });
});

describe("I3", () => {
  const order = (log: LogRow[], messages: SentMessage[] = [], firstSeq = 1): FaultReport["counts"] =>
    found((faults) => checkOrder({ conversation: "x", log, sent: messages, firstSeq }, faults));

  test("counts each missing seq of a gap", () => {
    expect(order([row(1, "a"), row(5, "b")])).toEqual({ gap_in_seq: 3 });
    expect(order([row(4, "a"), row(5, "b")], [], 4)).toEqual({});
  });

  test("a message sent again under a new id is a duplicate", () => {
    expect(order([row(1, "a", { n: 1 }), row(2, "b", { n: 1 })])).toEqual({ duplicated: 1 });
  });

  test("numbers may be left out, since refused messages have one too", () => {
    expect(order([row(1, "a", { n: 1 }), row(2, "b", { n: 7 })])).toEqual({});
  });

  test("acked before sent demands a lower seq, over any distance; concurrent messages may fall either way", () => {
    const log = [
      row(1, "late", { sender: "bob/1" }),
      row(2, "mid", { sender: "cat/1" }),
      row(3, "early", { sender: "ann/1" }),
    ];
    const early = sent("early", { sentAt: 0, ackedAt: 10 });
    expect(order(log, [early, sent("late", { sentAt: 11, ackedAt: 20 })])).toEqual({ causal_order: 1 });
    expect(order(log, [early, sent("late", { sentAt: 10, ackedAt: 20 })])).toEqual({});
    expect(
      order(log, [early, sent("mid", { sentAt: 5, ackedAt: 90 }), sent("late", { sentAt: 50, ackedAt: 60 })]),
    ).toEqual({
      causal_order: 1,
    });
  });
});

describe("I4", () => {
  const truth = { storedSeq: 5, viewedSeq: 3, pending: 0 };
  test.each([
    [{ recvSeq: 2, readSeq: 0 }, { recvSeq: 5, readSeq: 3 }, undefined],
    [{ recvSeq: 2, readSeq: 0 }, { recvSeq: 1, readSeq: 0 }, "status_backwards"],
    [{ recvSeq: 2, readSeq: 2 }, { recvSeq: 3, readSeq: 1 }, "status_backwards"],
    // Who has read a message has it: a lower recv beside a higher read is no step back.
    [{ recvSeq: 2, readSeq: 0 }, { recvSeq: 1, readSeq: 2 }, undefined],
    [{ recvSeq: 2, readSeq: 0 }, { recvSeq: 6, readSeq: 0 }, "delivered_too_early"],
    [{ recvSeq: 2, readSeq: 0 }, { recvSeq: 5, readSeq: 4 }, "read_too_early"],
  ])("%j → %j: %s", (before, after, expected) => expect(checkStatus(before, after, truth)).toBe(expected));
});

describe("I5", () => {
  const log = [row(1, "a"), row(2, "b"), row(3, "c")];
  const hashOf = (rows: LogRow[]) => rows.reduce((hash, { seq, id }) => addRow(hash, seq, id), emptyHash);
  const converge = (start: number, rows: LogRow[]): FaultReport["counts"] =>
    found((faults) => checkConvergence("x", log, [{ device: "bob/2", start, hash: hashOf(rows) }], faults));

  test("a device holds the log from its start on, in whatever order it came", () => {
    expect(converge(1, log)).toEqual({});
    expect(converge(1, log.toReversed())).toEqual({});
    expect(converge(2, log.slice(1))).toEqual({});
    expect(converge(4, [])).toEqual({});
  });

  test.each([
    ["a missing row", log.slice(0, 2)],
    ["another id", [row(1, "a"), row(2, "x"), row(3, "c")]],
    ["two ids exchanged", [row(1, "b"), row(2, "a"), row(3, "c")]],
    ["a row twice", [...log, row(3, "c")]],
  ])("%s differs", (_, rows) => expect(converge(1, rows)).toEqual({ diverged: 1 }));
});

test("I8 counts what others sent and what counts", () => {
  const log = [
    row(1, "a"),
    row(2, "b", { user: "bob" }),
    row(3, "c", { user: "cat", countable: false }),
    row(4, "d", { user: "cat" }),
  ];
  const unread = (member: string, readSeq: number, told: number): FaultReport["counts"] =>
    found((faults) => checkUnread("x", log, [{ member, readSeq, unread: told }], faults));
  expect(unread("bob", 0, 2)).toEqual({});
  expect(unread("bob", 1, 1)).toEqual({});
  expect(unread("bob", 4, 0)).toEqual({});
  expect(unread("bob", 1, 2)).toEqual({ unread_wrong: 1 });
});
