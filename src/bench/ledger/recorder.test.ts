import { describe, expect, test } from "vitest";
import { createSeededRandom } from "../../base/random.ts";
import { createUuidV7 } from "../../protocol/ids.ts";
import { RowIndex, uint32Column } from "./columns.ts";
import { messageKey } from "./message-key.ts";
import { MissingRuns } from "./missing-runs.ts";
import { LedgerRecorder } from "./recorder.ts";

function recorder(): LedgerRecorder {
  return new LedgerRecorder({ deviceCount: 8, devicesPerUser: 1, conversationCount: 4, ownsUser: (user) => user < 4 });
}

function receive(ledger: LedgerRecorder, device: number, seq: number, n: number, live = true): void {
  ledger.received({ device, conversation: 2, seq, id: 100 + seq, sender: 0, n, live });
}

test("messages are numbered per sending device and conversation", () => {
  const ledger = recorder();
  ledger.sent(0, 1, 1, 0);
  ledger.sent(0, 1, 2, 0);
  ledger.sent(0, 2, 3, 0);
  expect([ledger.nextN(0, 1), ledger.nextN(0, 2), ledger.nextN(1, 1)]).toEqual([3, 2, 1]);
  expect([...ledger.observations().sends.n]).toEqual([1, 2, 1]);
});

test("a second outcome of a message changes nothing", () => {
  const ledger = recorder();
  const handle = ledger.sent(0, 1, 1, 0);
  ledger.acked(handle, 7, 5);
  ledger.acked(handle, 8, 6);
  ledger.refused(handle);
  expect(ledger.counts).toMatchObject({ sent: 1, acked: 1, refused: 0 });
  expect([...ledger.observations().sends.seq]).toEqual([7]);
});

describe("status", () => {
  test("an honest story has no fault", () => {
    const ledger = recorder();
    ledger.acked(ledger.sent(0, 2, 101, 0), 1, 1);
    receive(ledger, 1, 1, 1);
    ledger.watermarks(0, 2, 1, 1, 0);
    ledger.viewed(1, 2, 1);
    ledger.watermarks(0, 2, 1, 1, 1);
    expect(ledger.faults.total()).toBe(0);
  });

  test("a watermark that goes back is caught", () => {
    const ledger = recorder();
    for (const seq of [1, 2, 3]) receive(ledger, 1, seq, seq);
    ledger.watermarks(0, 2, 1, 3, 0);
    ledger.watermarks(0, 2, 1, 2, 0);
    expect(ledger.faults.report().counts).toEqual({ status_backwards: 1 });
    expect(ledger.faults.report().cases[0]?.detail).toContain(
      "recv 2, read 0 of user 1 in conversation 2 after recv 3",
    );
  });

  test("delivered before the recipient stored it is caught", () => {
    const ledger = recorder();
    receive(ledger, 1, 1, 1);
    ledger.watermarks(0, 2, 1, 2, 0);
    expect(ledger.faults.report().counts).toEqual({ delivered_too_early: 1 });
  });

  test("read before the recipient saw it is caught", () => {
    const ledger = recorder();
    receive(ledger, 1, 1, 1);
    ledger.watermarks(0, 2, 1, 1, 1);
    expect(ledger.faults.report().counts).toEqual({ read_too_early: 1 });
  });

  test("a recipient's own send may move its watermarks before its ACK arrives", () => {
    const ledger = recorder();
    receive(ledger, 1, 1, 1);
    ledger.viewed(1, 2, 1);
    ledger.sent(1, 2, 102, 0);
    ledger.watermarks(0, 2, 1, 2, 2);
    expect(ledger.faults.total()).toBe(0);
  });

  test("users of other workers are judged by monotony alone", () => {
    const ledger = recorder();
    ledger.watermarks(0, 2, 5, 9, 9);
    expect(ledger.faults.total()).toBe(0);
    ledger.watermarks(0, 2, 5, 8, 8);
    expect(ledger.faults.report().counts).toEqual({ status_backwards: 1 });
  });
});

test("only messages of other users count as delivered", () => {
  const ledger = recorder();
  receive(ledger, 0, 1, 1);
  receive(ledger, 1, 1, 1);
  expect(ledger.counts.delivered).toBe(1);
});

test("a late message out of a live stream is reordered, one that fills a hole is not", () => {
  const late = recorder();
  receive(late, 1, 3, 3);
  receive(late, 1, 2, 2);
  expect(late.faults.report().counts).toEqual({ reordered: 1 });
  const filled = recorder();
  receive(filled, 1, 3, 3);
  receive(filled, 1, 2, 2, false);
  expect(filled.faults.total()).toBe(0);
});

describe("missing runs", () => {
  test("are cut by what arrives late", () => {
    const runs = new MissingRuns();
    runs.open(4, 2, 6);
    expect(runs.fill(4, 4)).toBe(true);
    expect(runs.fill(4, 4)).toBe(false);
    expect([...runs.serialise()]).toEqual([4, 2, 3, 4, 5, 6]);
    for (const n of [2, 3, 5, 6]) runs.fill(4, n);
    expect([...runs.serialise()]).toEqual([]);
  });

  test("are bounded, and say when they overflowed", () => {
    const runs = new MissingRuns(2);
    for (const stream of [1, 2, 3]) runs.open(stream, 1, 1);
    expect(runs.overflowed).toBe(true);
    expect(runs.serialise()).toHaveLength(6);
  });
});

test("the row index finds every key after growing, and keeps its bound", () => {
  const index = new RowIndex(20_000);
  const keys = Array.from({ length: 20_000 }, (_, at) => at * 4_294_967_311);
  for (const [at, key] of keys.entries()) expect(index.findOrAdd(key)).toBe(at);
  expect(keys.every((key, at) => index.find(key) === at)).toBe(true);
  expect(index.find(1)).toBe(-1);
  expect(() => index.findOrAdd(1)).toThrow("at most 20000");
});

test("columns grow and keep their values", () => {
  const column = uint32Column();
  for (let row = 0; row < 5_000; row++) column.set(row, row);
  column.add(4_999, 1);
  expect(column.get(4_999)).toBe(5_000);
  expect(column.get(1_000_000)).toBe(0);
  expect(column.take(3)).toEqual(Uint32Array.of(0, 1, 2));
});

test("message keys differ, and are exact", () => {
  const random = createSeededRandom(42);
  const keys = new Set(Array.from({ length: 10_000 }, () => messageKey(createUuidV7(1, random))));
  expect(keys.size).toBe(10_000);
  expect([...keys].every((key) => Number.isSafeInteger(key))).toBe(true);
  expect(messageKey("00000000-0000-7000-8001-000000000002")).toBe(2 ** 48 + 2);
});

test("what an observer was told is remembered", () => {
  const ledger = recorder();
  expect(ledger.toldOf(0, 2, 5)).toEqual({ recvSeq: 0, readSeq: 0 });
  ledger.watermarks(0, 2, 5, 9, 4);
  expect(ledger.toldOf(0, 2, 5)).toEqual({ recvSeq: 9, readSeq: 4 });
});
