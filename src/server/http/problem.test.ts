import { describe, expect, test } from "vitest";
import { WireError, wireErrors, type WireErrorCode } from "../../protocol/wire-errors.ts";
import { problemOf, retryAfterSeconds } from "./problem.ts";
import { rawRefusal, refuseConnection, toWireError } from "./refusals.ts";

const codes = Object.keys(wireErrors) as WireErrorCode[];

describe("a problem document", () => {
  test.each(codes)("of %s has what the table says", (code) => {
    const { status, temporary, message, fix } = wireErrors[code];
    expect(problemOf(new WireError(code))).toEqual({
      type: `urn:msgr:error:${code}`,
      title: message,
      status,
      detail: message,
      code,
      temporary,
      fix,
    });
    expect(status).toBeGreaterThanOrEqual(400);
  });

  test("tells the detail, the doubt and the time to wait, but never the cause", () => {
    const cause = new Error("a path or a token");
    const error = new WireError("store_unavailable", { detail: "the log", undecided: true, retryAfterMs: 10.2, cause });
    const problem = problemOf(error);
    expect(problem).toMatchObject({ detail: "the log", undecided: true, retry_after_ms: 11 });
    expect(JSON.stringify(problem)).not.toContain("token");
  });

  test.each([
    [undefined, undefined],
    [1, 1],
    [1_000, 1],
    [1_001, 2],
    [59_999, 60],
  ])("that says %s ms asks to wait %s s", (retryAfterMs, seconds) => {
    const error = new WireError("rate_limited", retryAfterMs === undefined ? {} : { retryAfterMs });
    expect(retryAfterSeconds(problemOf(error))).toBe(seconds);
  });
});

describe("a refusal written by hand", () => {
  test("is a whole HTTP answer whose length is that of its body", () => {
    const problem = problemOf(new WireError("rate_limited", { detail: "später", retryAfterMs: 1_500 }));
    const [head, body] = rawRefusal(problem, { "x-more": "1" }).split("\r\n\r\n") as [string, string];
    expect(head.split("\r\n")).toEqual([
      "HTTP/1.1 429 Too Many Requests",
      "connection: close",
      `content-length: ${Buffer.byteLength(body)}`,
      "content-type: application/problem+json",
      "retry-after: 2",
      "x-more: 1",
    ]);
    expect(JSON.parse(body)).toEqual(problem);
  });

  test.each([
    ["HPE_HEADER_OVERFLOW", 431, "too_large"],
    ["ERR_HTTP_REQUEST_TIMEOUT", 408, "bad_request"],
    ["HPE_INVALID_METHOD", 400, "bad_request"],
    [undefined, 400, "bad_request"],
  ])("answers %s with %d", (code, status, name) => {
    const text = refuseConnection(code === undefined ? {} : { code });
    expect(text.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
    expect(JSON.parse(text.split("\r\n\r\n")[1] as string)).toMatchObject({ status, code: name });
  });
});

describe("a failure of the HTTP layer", () => {
  test("is the caller's as long as its status says so", () => {
    expect(toWireError(Object.assign(new Error("x"), { statusCode: 413 }))?.code).toBe("too_large");
    expect(toWireError(Object.assign(new Error("no such type"), { statusCode: 415 }))).toMatchObject({
      code: "bad_request",
      message: "no such type",
    });
    const own = new WireError("forbidden");
    expect(toWireError(own)).toBe(own);
  });

  test("is ours otherwise", () => {
    for (const failure of [new Error("x"), { statusCode: 500 }, { statusCode: "400" }, "text", 5]) {
      expect(toWireError(failure)).toBeUndefined();
    }
  });
});
