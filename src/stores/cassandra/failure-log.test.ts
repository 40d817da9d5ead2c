import { expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { createLogger } from "../../base/logger.ts";
import { createFailureLog } from "./failure-log.ts";

test("one failure a second is logged, and how many were left out", () => {
  const lines: { readonly err: { readonly message: string }; readonly left_out: number }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) };
  const clock = new ManualClock();
  const report = createFailureLog(clock, createLogger({ level: "warn", format: "json", destination }));
  for (let time = 0; time < 5; time++) report(new Error(`down ${time}`));
  clock.advance(1_000);
  report(new Error("still down"));
  expect(lines.map((line) => [line.err.message, line.left_out])).toEqual([
    ["down 0", 0],
    ["still down", 4],
  ]);
});
