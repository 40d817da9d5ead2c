import cassandra from "cassandra-driver";
import { expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { createLogger } from "../../base/logger.ts";
import { cassandraAdminError } from "./admin-error.ts";
import { createFailureLog } from "./failure-log.ts";

const place = { contactPoints: "there:9042", datacenter: "dc1", username: "" };

test("the first failure is logged at once, those that follow as one line a second", () => {
  type Line = { readonly err: { readonly message: string; readonly fix: string }; readonly failures: number };
  const lines: Line[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  const clock = new ManualClock();
  const explain = (cause: unknown) => cassandraAdminError(cause, place);
  const report = createFailureLog(clock, createLogger({ level: "warn", format: "json", destination }), explain);
  for (let time = 0; time < 5; time++) report(new Error(`down ${time}`));
  clock.advance(1_000);
  expect(lines.map((line) => [line.err.message.split(" caused by")[0], line.failures])).toEqual([
    [expect.stringContaining("Cassandra on there:9042: down 0"), 1],
    [expect.stringContaining("down 4"), 4],
  ]);
  expect(lines[0]?.err.fix).not.toBe("");
});

test("a node that refuses since its disk is full is said to be full, with what mends it", () => {
  const refusal =
    "Guardrail replica_disk_usage violated: Write request failed because disk usage exceeds failure threshold";
  const invalid = cassandra.types.responseErrorCodes.invalid;
  const error = cassandraAdminError(new cassandra.errors.ResponseError(invalid, refusal), place);
  expect([error.kind, error.message, error.fix]).toEqual([
    "full",
    `Cassandra on there:9042 is full: ${refusal}.`,
    expect.stringContaining("Make room"),
  ]);
});
