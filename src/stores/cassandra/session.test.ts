import cassandra from "cassandra-driver";
import { describe, expect, test } from "vitest";
import { createDeferred } from "../../base/deferred.ts";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { LoadGate } from "./load-gate.ts";
import { DriverSession, type Statement } from "./session.ts";

const { consistencies, responseErrorCodes } = cassandra.types;
const statement: Statement = { query: "SELECT 1", params: [] };

interface Request {
  readonly kind: "execute" | "batch";
  readonly options: cassandra.QueryOptions;
}

/** What the session asks of the driver, and a driver that answers what it is told. */
function setUp(answer: () => Promise<unknown> = () => Promise.resolve({ rows: [], pageState: null })) {
  const requests: Request[] = [];
  const asked =
    (kind: Request["kind"]) =>
    (...values: readonly unknown[]): Promise<unknown> => {
      requests.push({ kind, options: values.at(-1) as cassandra.QueryOptions });
      return answer();
    };
  const client = { execute: asked("execute"), batch: asked("batch"), shutdown: () => Promise.resolve() };
  const bounds = { waitingMax: 4, waitMsMax: 1_000, clock: new ManualClock() };
  const gates = {
    statements: new LoadGate({ ...bounds, inFlightMax: 4 }),
    wholeReads: new LoadGate({ ...bounds, inFlightMax: 1 }),
  };
  const reports: unknown[] = [];
  const report = (cause: unknown): void => void reports.push(cause);
  return {
    session: new DriverSession(client as unknown as cassandra.Client, "msgr", gates, report),
    requests,
    reports,
  };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const answering = (row: object) => () => Promise.resolve({ rows: [row], pageState: null });
const failing = (failure: Error) => async (): Promise<never> => {
  throw failure;
};

describe("a session", () => {
  test("reads at the consistency that was asked for, and may repeat it", async () => {
    const { session, requests } = setUp();
    await session.read(statement, "latest");
    await session.read(statement, "serial");
    await session.readAll(statement);
    const { localQuorum, localSerial } = consistencies;
    expect(requests.map(({ options }) => options.consistency)).toEqual([localQuorum, localSerial, localQuorum]);
    for (const { options } of requests) expect(options).toMatchObject({ prepare: true, isIdempotent: true });
  });

  test("writes registers at a quorum, may repeat them, and those of one partition go together without a batch log", async () => {
    const { session, requests } = setUp();
    await session.write([], "begins");
    await session.write([statement], "begins");
    await session.write([statement, statement], "ends");
    expect(requests.map(({ kind }) => kind)).toEqual(["execute", "batch"]);
    for (const { options } of requests) {
      const { localQuorum: consistency } = consistencies;
      expect(options).toMatchObject({ consistency, isIdempotent: true, prepare: true, logged: false });
    }
  });

  test("writes conditionally with both consistencies of the data centre, and never again", async () => {
    const { session, requests } = setUp(answering({ "[applied]": true }));
    expect(await session.writeIf([statement, statement])).toEqual({ outcome: "applied" });
    const { localQuorum: consistency, localSerial: serialConsistency } = consistencies;
    expect(requests[0]?.options).toMatchObject({ consistency, serialConsistency, isIdempotent: false, prepare: true });
  });

  test("tells a refused conditional write from one of which nobody knows and one that was never sent", async () => {
    const row = { "[applied]": false, head: 1 };
    expect(await setUp(answering(row)).session.writeIf([statement])).toEqual({ outcome: "refused", row });
    const late = new cassandra.errors.OperationTimedOutError("late");
    expect(await setUp(failing(late)).session.writeIf([statement])).toEqual({ outcome: "undecided" });
    const nobody = new cassandra.errors.NoHostAvailableError({});
    const rejected = setUp(failing(nobody)).session.writeIf([statement]);
    await expect(rejected).rejects.toMatchObject({ code: "store_unavailable", cause: nobody });
    const mistake = new TypeError("not a number");
    await expect(setUp(failing(mistake)).session.writeIf([statement])).rejects.toBe(mistake);
  });

  test("lets statements pass those who wait to read whole partitions", async () => {
    const first = createDeferred<{ rows: object[]; pageState: null }>();
    const { session, requests } = setUp(() => first.promise);
    const reads = [session.readAll(statement), session.readAll(statement)];
    const write = session.write([statement], "begins");
    await turn();
    expect([requests.length, session.load()]).toEqual([2, { inFlight: 2, waiting: 1 }]);
    first.resolve({ rows: [], pageState: null });
    await Promise.all([...reads, write]);
    expect([requests.length, session.load()]).toEqual([3, { inFlight: 0, waiting: 0 }]);
  });

  test("reports what callers do not see, and gives up its place after an error", async () => {
    const error = new cassandra.errors.ResponseError(responseErrorCodes.overloaded, "busy");
    const { session, reports } = setUp(failing(error));
    for (let time = 0; time < 6; time++) {
      await expect(session.read(statement, "latest")).rejects.toMatchObject({ code: "store_unavailable" });
    }
    expect(reports).toEqual(Array.from({ length: 6 }, () => error));
    expect(session.load()).toEqual({ inFlight: 0, waiting: 0 });
  });
});
