import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSeededRandom, randomBelow } from "../../base/random.ts";
import { Account, type AccountOptions, closeAccount, type ConversationScan, type LedgerVerdict } from "./account.ts";
import type { Fault } from "./faults.ts";
import { LedgerRecorder, type ReceivedRow } from "./recorder.ts";
import type { LogRow } from "./types.ts";

/**
 * A messenger in ten lines: 4 users with 2 devices each in one conversation, on two workers. Honest unless told otherwise:
 * a test plants its fault either in the log, or in what the devices are given.
 */
const devices = [0, 1, 2, 3, 4, 5, 6, 7];
const options: AccountOptions = { conversationCount: 3, devicesPerUser: 2, devicesOf: () => devices };
const workerOf = (device: number): number => Math.floor(device / 2) % 2;

interface Planted {
  readonly log?: (rows: LogRow[]) => LogRow[];
  readonly deliver?: (rows: ReceivedRow[], device: number) => ReceivedRow[];
  readonly scan?: Partial<ConversationScan>;
  readonly before?: (recorders: LedgerRecorder[]) => void;
  readonly viewed?: number;
}

function run(planted: Planted = {}, messages = 12): LedgerVerdict {
  const recorders = [0, 1].map(
    (worker) =>
      new LedgerRecorder({
        deviceCount: 8,
        devicesPerUser: 2,
        conversationCount: 3,
        ownsUser: (user) => user % 2 === worker,
      }),
  );
  const log: LogRow[] = [{ seq: 1, id: 999, sender: -1, user: -1, n: 0, countable: false }];
  for (let at = 0; at < messages; at++) {
    const sender = [0, 2, 5][at % 3] as number;
    const recorder = recorders[workerOf(sender)] as LedgerRecorder;
    const n = recorder.nextN(sender, 1);
    const handle = recorder.sent(sender, 1, 1_000 + at, at * 10);
    log.push({ seq: log.length + 1, id: 1_000 + at, sender, user: Math.floor(sender / 2), n, countable: true });
    recorder.acked(handle, log.length, at * 10 + 5);
  }
  planted.before?.(recorders);
  const rows = planted.log?.(log) ?? log;
  for (const device of devices) {
    const honest = rows.map((row): ReceivedRow => ({
      device,
      conversation: 1,
      seq: row.seq,
      id: Number(row.id),
      sender: Number(row.sender),
      n: row.n,
      live: true,
    }));
    const recorder = recorders[workerOf(device)] as LedgerRecorder;
    for (const row of planted.deliver?.(honest, device) ?? honest) recorder.received(row);
    recorder.viewed(device, 1, planted.viewed ?? 0);
  }
  const observations = recorders.map((recorder) => structuredClone(recorder.observations()));
  return closeAccount(observations, [{ conversation: 1, rows, ...planted.scan }], options);
}

function faultsOf(verdict: LedgerVerdict): Partial<Record<Fault, number>> {
  return verdict.faults.counts;
}

test("an honest run balances", () => {
  const verdict = run({
    viewed: 13,
    scan: { lists: [{ member: 1, lastSeq: 13 }], unread: [{ member: 1, readSeq: 4, unread: 6 }] },
  });
  expect(verdict).toEqual({
    ok: true,
    sent: 12,
    acked: 12,
    refused: 0,
    undecided: 0,
    undecidedInLog: 0,
    logRows: 13,
    delivered: 72,
    read: 36,
    conversationsScanned: 1,
    conversationsUnscanned: 0,
    devicesAbsent: 0,
    faults: { counts: {}, cases: [] },
  });
});

describe("a planted fault is caught and named", () => {
  const drop = (index: number) => (rows: ReceivedRow[], device: number) =>
    device === 3 ? rows.toSpliced(index, 1) : rows;

  test("one message dropped on the way to one device", () => {
    const verdict = run({ deliver: drop(5) });
    expect(verdict.ok).toBe(false);
    expect(faultsOf(verdict)).toEqual({ lost: 1 });
    expect(verdict.faults.cases[0]?.detail).toBe(
      "sender 2 → device 3 in conversation 1: n 2 (seq 6, message 1004) of 1",
    );
  });

  test("the last message dropped, with nothing after it to show the hole", () => {
    expect(faultsOf(run({ deliver: drop(12) }))).toEqual({ lost: 1 });
  });

  test("a device that was given nothing at all", () => {
    expect(faultsOf(run({ deliver: (rows, device) => (device === 7 ? [] : rows) }))).toEqual({ lost: 12 });
  });

  test("one message given to one device twice", () => {
    const verdict = run({
      deliver: (rows, device) => (device === 6 ? rows.toSpliced(4, 0, rows[4] as ReceivedRow) : rows),
    });
    expect(faultsOf(verdict)).toEqual({ duplicated: 1 });
    expect(verdict.faults.cases[0]?.detail).toContain("device 6, conversation 1, sender 0: n 2 (seq 5");
  });

  test("two messages of one sender swapped on one device", () => {
    const swap = (rows: ReceivedRow[], device: number): ReceivedRow[] => {
      if (device !== 4) return rows;
      return rows.with(1, rows[4] as ReceivedRow).with(4, rows[1] as ReceivedRow);
    };
    expect(faultsOf(run({ deliver: swap }))).toEqual({ reordered: 1 });
  });

  test("two messages of one sender swapped in the log", () => {
    const verdict = run({
      log: (rows) => {
        const [one, other] = [rows[1] as LogRow, rows[4] as LogRow];
        return rows.with(1, { ...other, seq: one.seq }).with(4, { ...one, seq: other.seq });
      },
    });
    expect(faultsOf(verdict)).toMatchObject({ reordered: 9, acked_seq_differs: 2 });
    expect(faultsOf(verdict).causal_order).toBeGreaterThan(0);
  });

  test("two messages of different senders swapped in the log, the second sent after the first was acked", () => {
    const verdict = run({
      log: (rows) => {
        const [one, other] = [rows[1] as LogRow, rows[2] as LogRow];
        return rows.with(1, { ...other, seq: one.seq }).with(2, { ...one, seq: other.seq });
      },
    });
    expect(faultsOf(verdict)).toEqual({ causal_order: 1, acked_seq_differs: 2 });
  });

  test("an acked message without a row in the log", () => {
    const verdict = run({ log: (rows) => rows.slice(0, -1) });
    expect(faultsOf(verdict)).toEqual({ acked_not_in_log: 1 });
    expect(verdict.faults.cases[0]?.detail).toContain(
      "message 1011 (sender 5, n 4) in conversation 1 was acked at seq 13",
    );
  });

  test("a seq without a row", () => {
    expect(faultsOf(run({ log: (rows) => rows.toSpliced(0, 1) }))).toEqual({ gap_in_seq: 1 });
  });

  test("one message twice in the log", () => {
    const verdict = run({ log: (rows) => [...rows, { ...(rows[12] as LogRow), seq: 14 }] });
    expect(faultsOf(verdict)).toMatchObject({ duplicated: 1 + devices.length });
  });

  test("two messages under one seq", () => {
    const verdict = run({ log: (rows) => [...rows, { ...(rows[12] as LogRow), id: 7, n: 5 }] });
    expect(faultsOf(verdict)).toMatchObject({ repeated_seq: 1 });
  });

  test("a row that nobody sent", () => {
    const verdict = run({ log: (rows) => [...rows, { ...(rows[12] as LogRow), seq: 14, id: 7, n: 5 }] });
    expect(faultsOf(verdict)).toEqual({ invented: 1 });
  });

  test("a message on a device that the log does not have", () => {
    const extra: ReceivedRow = { device: 1, conversation: 1, seq: 14, id: 7, sender: 2, n: 5, live: true };
    const verdict = run({ deliver: (rows, device) => (device === 1 ? [...rows, extra] : rows) });
    expect(faultsOf(verdict)).toEqual({ invented: 1 });
  });

  test("other content under the right number", () => {
    const verdict = run({
      deliver: (rows, device) => (device === 1 ? rows.with(3, { ...(rows[3] as ReceivedRow), id: 7 }) : rows),
    });
    expect(faultsOf(verdict)).toEqual({ diverged: 1 });
  });

  test("a refused message in the log", () => {
    const verdict = run({
      before: (recorders) => recorders[0]?.refused(recorders[0].sent(0, 1, 5_000, 500)),
      log: (rows) => [...rows, { seq: 14, id: 5_000, sender: 0, user: 0, n: 5, countable: true }],
    });
    expect(faultsOf(verdict)).toEqual({ refused_in_log: 1 });
  });

  test("a wrong unread count, and a list that ends too early", () => {
    const verdict = run({
      scan: { unread: [{ member: 1, readSeq: 4, unread: 5 }], lists: [{ member: 2, lastSeq: 12 }] },
    });
    expect(faultsOf(verdict)).toEqual({ unread_wrong: 1, not_listed: 1 });
    expect(verdict.faults.cases.map(({ detail }) => detail)).toContain(
      "1 is told 5 unread in conversation 1 after seq 4; the log has 6",
    );
  });
});

describe("what is not a fault", () => {
  test("an undecided message may be in the log or not", () => {
    const undecided = (recorders: LedgerRecorder[]): void => {
      recorders[0]?.sent(0, 1, 5_000, 500);
      recorders[0]?.sent(0, 1, 5_001, 501);
    };
    const verdict = run({
      before: undecided,
      log: (rows) => [...rows, { seq: 14, id: 5_001, sender: 0, user: 0, n: 6, countable: true }],
    });
    expect(verdict).toMatchObject({ ok: true, undecided: 2, undecidedInLog: 1, acked: 12 });
  });

  test("a device that was offline at the end is left out, and said to be", () => {
    const verdict = run({
      before: (recorders) => recorders[1]?.absent(3),
      deliver: (rows, device) => (device === 3 ? rows.slice(0, 4) : rows),
    });
    expect(verdict).toMatchObject({ ok: true, devicesAbsent: 1 });
  });

  test("a device that gets the newest first and fills the hole afterwards", () => {
    const verdict = run({
      deliver: (rows, device) =>
        device === 2 ? [...rows.slice(8), ...rows.slice(0, 8).map((row) => ({ ...row, live: false }))] : rows,
    });
    expect(verdict.ok).toBe(true);
  });

  test("a device that begins later", () => {
    const verdict = run({
      before: (recorders) => recorders[1]?.restarted(2, 1, 9),
      deliver: (rows, device) => (device === 2 ? rows.filter((row) => row.seq >= 9) : rows),
    });
    expect(verdict.ok).toBe(true);
  });

  test("a device that gave up what it had, and begins later", () => {
    const recorder = new LedgerRecorder({
      deviceCount: 8,
      devicesPerUser: 2,
      conversationCount: 3,
      ownsUser: () => true,
    });
    const rows: LogRow[] = [];
    for (let n = 1; n <= 6; n++) {
      recorder.acked(recorder.sent(0, 1, n, n), n, n);
      rows.push({ seq: n, id: n, sender: 0, user: 0, n, countable: true });
    }
    const receive = (device: number, row: LogRow): void =>
      recorder.received({ device, conversation: 1, seq: row.seq, id: Number(row.id), sender: 0, n: row.n, live: true });
    for (const row of rows) receive(0, row);
    for (const row of [rows[0], rows[2]]) receive(2, row as LogRow);
    recorder.restarted(2, 1, 5);
    for (const row of rows.slice(4)) receive(2, row);
    const verdict = closeAccount([recorder.observations()], [{ conversation: 1, rows }], {
      ...options,
      devicesOf: () => [0, 2],
    });
    expect(verdict.faults).toEqual({ counts: {}, cases: [] });
  });

  test("a device that had only newer rows when it was told where it begins", () => {
    const recorder = new LedgerRecorder({
      deviceCount: 8,
      devicesPerUser: 2,
      conversationCount: 3,
      ownsUser: () => true,
    });
    const rows: LogRow[] = [];
    for (let n = 1; n <= 4; n++) {
      const handle = recorder.sent(0, 1, 100 + n, n);
      recorder.acked(handle, n, n);
      rows.push({ seq: n, id: 100 + n, sender: 0, user: 0, n, countable: true });
    }
    const receive = (device: number, row: LogRow): void =>
      recorder.received({ device, conversation: 1, seq: row.seq, id: Number(row.id), sender: 0, n: row.n, live: true });
    for (const row of rows) receive(0, row);
    for (const row of rows.slice(2)) receive(2, row);
    recorder.restarted(2, 1, 3);
    const verdict = closeAccount([recorder.observations()], [{ conversation: 1, rows }], {
      ...options,
      devicesOf: () => [0, 2],
    });
    expect(verdict.faults).toEqual({ counts: {}, cases: [] });
  });

  test("conversations that were not scanned are counted, not judged", () => {
    const recorder = new LedgerRecorder({
      deviceCount: 8,
      devicesPerUser: 2,
      conversationCount: 3,
      ownsUser: () => true,
    });
    recorder.acked(recorder.sent(0, 2, 1, 0), 1, 1);
    expect(closeAccount([recorder.observations()], [], options)).toMatchObject({ ok: true, conversationsUnscanned: 1 });
  });
});

describe("rows that were never acked", () => {
  /** Of device 0, at seqs 14 and 15: sent, in the log, without an answer. */
  const tail: readonly LogRow[] = [5, 6].map((n) => ({
    seq: 9 + n,
    id: 4_995 + n,
    sender: 0,
    user: 0,
    n,
    countable: true,
  }));
  const undecided = {
    before: (recorders: LedgerRecorder[]): void => {
      for (const { id, seq } of tail) recorders[0]?.sent(0, 1, Number(id), 500 + seq);
    },
    log: (rows: LogRow[]) => [...rows, ...tail],
  };
  /** What device 3 holds; the others hold everything. */
  const heldBy3 = (keeps: (seq: number) => boolean) => (rows: ReceivedRow[], device: number) =>
    device === 3 ? rows.filter(({ seq }) => keeps(seq)) : rows;

  test.each([13, 14, 15])("at the end of the log: devices and lists may end at seq %i", (end) => {
    const deliver = (rows: ReceivedRow[], device: number): ReceivedRow[] =>
      device % 2 === 1 ? rows.filter(({ seq }) => seq <= end) : rows;
    const lists = [{ member: 1, lastSeq: end }];
    const unread = [{ member: 1, readSeq: 4, lastSeq: end, unread: 6 + end - 13 }];
    expect(run({ ...undecided, deliver, scan: { lists, unread } })).toMatchObject({
      ok: true,
      undecided: 2,
      undecidedInLog: 2,
      faults: { counts: {} },
    });
  });

  test("a device that has the second of them has the first", () => {
    const verdict = run({ ...undecided, deliver: heldBy3((seq) => seq !== 14) });
    expect(faultsOf(verdict)).toEqual({ diverged: 1 });
  });

  test("what was acked before them is owed: to devices, whatever else they hold", () => {
    for (const lost of [13, 7]) {
      expect(faultsOf(run({ ...undecided, deliver: heldBy3((seq) => seq !== lost) }))).toEqual({ lost: 1 });
      expect(faultsOf(run({ ...undecided, deliver: heldBy3((seq) => seq !== lost && seq < 14) }))).toEqual({ lost: 1 });
    }
  });

  test("of the sender that has them at the end, an acked message that is lost is not made up for by one of them", () => {
    const lost = run({ ...undecided, deliver: heldBy3((seq) => seq !== 11 && seq !== 15) });
    expect(faultsOf(lost)).toEqual({ lost: 1 });
    expect(lost.faults.cases[0]?.detail).toContain("sender 0 → device 3 in conversation 1: n 4 (seq 11, message 1009)");
  });

  test("what was acked before them is owed: to lists, and counts there", () => {
    const scan = { lists: [{ member: 2, lastSeq: 12 }], unread: [{ member: 1, readSeq: 4, lastSeq: 14, unread: 6 }] };
    expect(faultsOf(run({ ...undecided, scan }))).toEqual({ not_listed: 1, unread_wrong: 1 });
  });

  test("below an acked one they are owed like it: a device that has no hole has them", () => {
    const acked: LogRow = { seq: 16, id: 5_002, sender: 0, user: 0, n: 7, countable: true };
    const followed: Planted = {
      before: (recorders) => {
        undecided.before(recorders);
        recorders[0]?.acked(recorders[0].sent(0, 1, 5_002, 600), 16, 605);
      },
      log: (rows) => [...rows, ...tail, acked],
    };
    expect(run(followed).ok).toBe(true);
    expect(faultsOf(run({ ...followed, deliver: heldBy3((seq) => seq < 14) }))).toEqual({ lost: 3 });
    expect(faultsOf(run({ ...followed, deliver: heldBy3((seq) => seq !== 14) }))).toEqual({ lost: 1 });
    expect(faultsOf(run({ ...followed, scan: { lists: [{ member: 2, lastSeq: 15 }] } }))).toEqual({ not_listed: 1 });
  });
});

test("any honest order of arrival balances, and any single missing row does not", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(7), fc.integer({ min: 1, max: 12 }), (seed, victim, index) => {
      const random = createSeededRandom(seed);
      // Each device gets a newest part first and the rest, backwards in blocks, as fills.
      const shuffle = (rows: ReceivedRow[]): ReceivedRow[] => {
        const cut = randomBelow(random, rows.length);
        return [...rows.slice(cut), ...rows.slice(0, cut).map((row) => ({ ...row, live: false }))];
      };
      expect(run({ deliver: shuffle }).ok).toBe(true);
      const verdict = run({
        deliver: (rows, device) => (device === victim ? shuffle(rows.toSpliced(index, 1)) : shuffle(rows)),
      });
      expect(faultsOf(verdict)).toEqual({ lost: 1 });
    }),
    { numRuns: 50 },
  );
});

test("counts are exact while only the first cases are kept", () => {
  const verdict = run({ deliver: (rows) => rows.flatMap((row) => (row.n > 0 ? [row, row] : [row])) }, 300);
  expect(faultsOf(verdict)).toEqual({ duplicated: 300 * devices.length });
  expect(verdict.faults.cases.length).toBeLessThanOrEqual(40);
});

test("a conversation closed twice counts once", () => {
  const account = new Account([], options);
  account.close({ conversation: 1, rows: [] });
  account.close({ conversation: 1, rows: [] });
  expect(account.verdict().conversationsScanned).toBe(1);
});
