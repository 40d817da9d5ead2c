import { describe, expect, test } from "vitest";
import { planSync, type SyncPosition } from "./sync-plan.ts";

const view = { readable: [[1, Number.MAX_SAFE_INTEGER]] as const, clearedSeq: 0 };
const position = (fields: Partial<SyncPosition>): SyncPosition => ({
  last: 1_000,
  held: 0,
  tail: undefined,
  floor: 0,
  ...fields,
});
const spans = (fills: readonly { readonly from: number; readonly to: number }[]) =>
  fills.map(({ from, to }) => [from, to]);

describe("planSync", () => {
  test("nothing is missing, nothing is sent", () => {
    expect(planSync(position({ held: 1_000 }), view)).toEqual({ first: [], firstPageOnly: false, rest: [] });
  });

  test("a device that is 200 behind gets all of it, upwards", () => {
    const plan = planSync(position({ held: 800 }), view);
    expect(plan).toEqual({
      first: [{ from: 801, to: 1_000, direction: "up", rowsMax: 100 }],
      firstPageOnly: false,
      rest: [],
    });
  });

  test("a device that is 201 behind gets its newest 50 first, and the rest down to where its receipts begin", () => {
    const plan = planSync(position({ held: 799, floor: 900 }), view);
    expect(plan).toEqual({
      first: [{ from: 901, to: 1_000, direction: "down", rowsMax: 50 }],
      firstPageOnly: true,
      rest: [],
    });
  });

  test("receipts that are not needed any more ask for no more than the newest 50", () => {
    expect(spans(planSync(position({ floor: 1_000 }), view).first)).toEqual([[951, 1_000]]);
  });

  test("a new device never goes below what it holds", () => {
    expect(spans(planSync(position({ held: 700, floor: 100 }), view).first)).toEqual([[701, 1_000]]);
  });

  test("what an earlier connection brought is not sent again", () => {
    const plan = planSync(position({ floor: 300, tail: [600, 980] }), view);
    expect(plan.firstPageOnly).toBe(true);
    expect(spans(plan.first)).toEqual([[981, 1_000]]);
    expect(spans(plan.rest)).toEqual([[301, 599]]);
  });

  test("a tail that reaches the end leaves only the background fill", () => {
    const plan = planSync(position({ floor: 300, tail: [600, 1_000] }), view);
    expect(plan.first).toEqual([]);
    expect(spans(plan.rest)).toEqual([[301, 599]]);
  });

  test("a tail that reaches down to the receipts leaves nothing: older rows are read when somebody looks", () => {
    expect(planSync(position({ floor: 599, tail: [600, 1_000] }), view)).toEqual({
      first: [],
      firstPageOnly: false,
      rest: [],
    });
  });

  test("a small hole below a tail is filled at once, after the newer rows", () => {
    const plan = planSync(position({ held: 500, floor: 900, tail: [560, 980] }), view);
    expect(spans(plan.first)).toEqual([
      [981, 1_000],
      [501, 559],
    ]);
    expect(plan.first.map((fill) => fill.direction)).toEqual(["up", "up"]);
  });

  test("what the reader may not see does not make it far behind, and is covered for free", () => {
    const joined = { readable: [[950, Number.MAX_SAFE_INTEGER]] as const, clearedSeq: 0 };
    expect(planSync(position({ floor: 949 }), joined)).toMatchObject({
      first: [{ from: 1, to: 1_000, direction: "up" }],
      rest: [],
    });
    expect(planSync(position({ floor: 949 }), { ...view, clearedSeq: 949 })).toMatchObject({
      first: [{ from: 1, to: 1_000 }],
    });
  });

  test("far behind with nothing readable below: the last page says so", () => {
    const joined = { readable: [[700, Number.MAX_SAFE_INTEGER]] as const, clearedSeq: 0 };
    expect(spans(planSync(position({ floor: 699 }), joined).first)).toEqual([[1, 1_000]]);
  });
});
