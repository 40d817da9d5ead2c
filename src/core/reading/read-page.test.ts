import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SeqRun } from "../../protocol/fields.ts";
import { limits } from "../../protocol/limits.ts";
import type { RowPage } from "../api.ts";
import type { LogRow, Visibility } from "../model.ts";
import type { MessageLog } from "../ports/message-log.ts";
import { readPage, type View } from "./read-page.ts";
import { pushSeq } from "./seq-runs.ts";

const me = "me";
const bucketRows = 4;

function rowOf(seq: number, visibility: Visibility, envelopeBytes: number): LogRow {
  const envelope = new Uint8Array(envelopeBytes);
  return {
    seq,
    messageId: `m${seq}`,
    senderId: "other",
    senderDevice: 1,
    sentAt: seq,
    kind: 1,
    visibility,
    ucount: seq,
    envelope,
  };
}

/** A log of which rows, and whole buckets, may be missing, as retention leaves it. */
function logOf(rows: readonly LogRow[]) {
  const reads = { count: 0 };
  const log: Pick<MessageLog, "bucketRows" | "readBucket"> = {
    bucketRows,
    readBucket(_, bucket, fromSeq, toSeq, rowsMax) {
      reads.count++;
      const inBucket = rows.filter((row) => Math.floor((row.seq - 1) / bucketRows) === bucket);
      const asked = inBucket.filter((row) => row.seq >= fromSeq && row.seq <= toSeq);
      const head = inBucket.length === 0 ? undefined : { head: 0, headUcount: 0, headAt: 0, membership: 0 };
      return Promise.resolve({ head, rows: asked.toReversed().slice(0, rowsMax) });
    },
  };
  return { log: log as MessageLog, reads };
}

async function readAll(
  log: MessageLog,
  view: View,
  from: number,
  to: number,
  direction: "up" | "down",
  rowsMax: number,
) {
  const pages: RowPage[] = [];
  let [low, high] = [from, to];
  for (;;) {
    const page = await readPage(log, view, { conversationId: "c", from: low, to: high, direction, rowsMax });
    pages.push(page);
    if (direction === "up") low = page.to + 1;
    else high = page.from - 1;
    if (!page.hasMore) return pages;
    if (pages.length > 200) throw new Error("no progress");
  }
}

const top = 40;

describe("readPage", () => {
  const cells = fc.array(
    fc.record({ state: fc.constantFrom("row", "row", "row", "void", "gone"), readable: fc.boolean() }),
    { minLength: top, maxLength: top },
  );
  const range = fc.tuple(fc.integer({ min: 1, max: top }), fc.integer({ min: 1, max: top }));

  test("pages cover the whole range once, each seq as what it is, in either direction", async () => {
    await fc.assert(
      fc.asyncProperty(
        cells,
        range,
        fc.constantFrom("up" as const, "down" as const),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 0, max: top }),
        async (states, ends, direction, rowsMax, clearedSeq) => {
          const rows = states.flatMap(({ state }, index) =>
            state === "gone" ? [] : [rowOf(index + 1, state === "void" ? 1 : 0, 3)],
          );
          const readable: [number, number][] = [];
          for (const [index, cell] of states.entries()) if (cell.readable) pushSeq(readable, index + 1);
          const [from, to] = [Math.min(...ends), Math.max(...ends)];
          const view: View = { viewerId: me, readable, clearedSeq, decidedSeq: Infinity };
          const pages = await readAll(logOf(rows).log, view, from, to, direction, rowsMax);

          const seen = new Map<number, string>();
          const note = (seq: number, what: string): void => {
            expect(seen.has(seq), `seq ${seq} twice`).toBe(false);
            seen.set(seq, what);
          };
          for (const page of pages) {
            expect(page.messages.length).toBeLessThanOrEqual(rowsMax);
            for (const row of page.messages) note(row.seq, row.kind === 0 ? "void" : "row");
            const runs: [string, readonly SeqRun[]][] = [
              ["unreadable", page.unreadable],
              ["gone", page.gone],
            ];
            for (const [what, list] of runs)
              for (const [low, high] of list) for (let seq = low; seq <= high; seq++) note(seq, what);
            expect(page.messages.map((row) => row.seq)).toEqual(
              page.messages.map((row) => row.seq).toSorted((a, b) => a - b),
            );
          }
          for (let seq = from; seq <= to; seq++) {
            const cell = states[seq - 1];
            const expected = cell?.readable !== true ? "unreadable" : seq <= clearedSeq ? "gone" : cell.state;
            expect(seen.get(seq), `seq ${seq}`).toBe(expected);
          }
          expect(seen.size).toBe(to - from + 1);
        },
      ),
      { numRuns: 500 },
    );
  });

  const everything: View = {
    viewerId: me,
    readable: [[1, Number.MAX_SAFE_INTEGER]],
    clearedSeq: 0,
    decidedSeq: Infinity,
  };

  test("ends a page before it would exceed its bytes, but always holds one row", async () => {
    const rows = Array.from({ length: 12 }, (_, index) => rowOf(index + 1, 0, limits.envelopeBytesMax));
    for (const direction of ["up", "down"] as const) {
      const pages = await readAll(logOf(rows).log, everything, 1, 12, direction, 100);
      expect(pages.length).toBeGreaterThan(1);
      expect(pages.reduce((total, page) => total + page.messages.length, 0)).toBe(12);
      for (const page of pages) expect(JSON.stringify(page).length).toBeLessThanOrEqual(limits.pageBytesMax);
    }
  });

  test("passes over any number of unreadable and cleared rows without a read", async () => {
    const { log, reads } = logOf([rowOf(1_000_000, 0, 1)]);
    const view: View = {
      viewerId: me,
      readable: [[500_000, Number.MAX_SAFE_INTEGER]],
      clearedSeq: 999_999,
      decidedSeq: Infinity,
    };
    const page = await readPage(log, view, {
      conversationId: "c",
      from: 1,
      to: 1_000_000,
      direction: "down",
      rowsMax: 50,
    });
    expect(page).toMatchObject({
      from: 1,
      to: 1_000_000,
      hasMore: false,
      unreadable: [[1, 499_999]],
      gone: [[500_000, 999_999]],
    });
    expect(reads.count).toBe(1);
  });

  test("bounds its reads in a long stretch that is gone, and goes on in the next page", async () => {
    const { log, reads } = logOf([]);
    const page = await readPage(log, everything, {
      conversationId: "c",
      from: 1,
      to: 1_000,
      direction: "up",
      rowsMax: 50,
    });
    expect(page).toMatchObject({ from: 1, messages: [], hasMore: true });
    expect(page.to).toBeGreaterThan(0);
    expect(page.gone).toEqual([[1, page.to]]);
    expect(reads.count).toBeLessThanOrEqual(16);
  });

  test("an empty range is an empty page", async () => {
    const page = await readPage(logOf([]).log, everything, {
      conversationId: "c",
      from: 6,
      to: 5,
      direction: "up",
      rowsMax: 50,
    });
    expect(page).toEqual({ from: 6, to: 5, messages: [], unreadable: [], gone: [], hasMore: false });
  });
});
