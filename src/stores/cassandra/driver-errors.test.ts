import cassandra from "cassandra-driver";
import { describe, expect, test } from "vitest";
import { WireError } from "../../protocol/wire-errors.ts";
import { judgeDriverError, wireErrorOf } from "./driver-errors.ts";

const { errors, types } = cassandra;
const { responseErrorCodes: codes } = types;

const response = (code: number, message = "no"): Error => new errors.ResponseError(code, message);
const socketError = (more: object): Error =>
  Object.assign(new Error("Socket was closed"), { isSocketError: true, ...more });

const cases: readonly (readonly [string, Error, ReturnType<typeof judgeDriverError>])[] = [
  ["a client time-out", new errors.OperationTimedOutError("late", "node"), "unknown"],
  ["a write time-out", response(codes.writeTimeout), "unknown"],
  ["a write failure", response(codes.writeFailure), "unknown"],
  ["a read time-out, which paxos answers too", response(codes.readTimeout), "unknown"],
  ["an outcome that the node does not know (0x1700)", response(0x1700), "unknown"],
  ["a server error", response(codes.serverError), "unknown"],
  ["too few replicas, which may be found after a proposal", response(codes.unavailableException), "unknown"],
  ["an overloaded node", response(codes.overloaded), "unknown"],
  ["a connection that was lost", socketError({}), "unknown"],
  ["a connection that was lost before the request left", socketError({ requestNotWritten: true }), "not_done"],
  ["no node to ask", new errors.NoHostAvailableError({}), "not_done"],
  ["all connections busy", new errors.BusyConnectionError("node", 1, 1), "not_done"],
  ["no connection to prepare on", new Error("No connection available"), "not_done"],
  ["a node that is starting", response(codes.isBootstrapping), "not_done"],
  ["a table that is not there", response(codes.invalid, "unconfigured table messages"), "not_done"],
  ["a user who may not", response(codes.unauthorized), "not_done"],
  [
    "a disk that is full",
    response(
      codes.invalid,
      "Guardrail replica_disk_usage violated: Write request failed because disk usage exceeds failure threshold",
    ),
    "full",
  ],
  ["a statement that is no statement", response(codes.syntaxError), "broken"],
  ["a mistake of ours", new TypeError("not a number"), "broken"],
];

describe("an error of the driver", () => {
  test.each(cases)("%s", (_, error, verdict) => {
    expect(judgeDriverError(error)).toBe(verdict);
  });

  test("is told to callers as a store that is full or does not answer, and keeps its cause", () => {
    const codesOf = { full: "storage_full", unknown: "store_unavailable", not_done: "store_unavailable" };
    for (const [, error, verdict] of cases) {
      if (verdict === "broken") expect(wireErrorOf(error)).toBe(error);
      else expect(wireErrorOf(error)).toMatchObject({ code: codesOf[verdict], cause: error, undecided: false });
    }
  });

  test("that is ours already passes through", () => {
    const error = new WireError("overloaded");
    expect(wireErrorOf(error)).toBe(error);
  });
});
