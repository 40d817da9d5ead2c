import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, parseClientFrame, parseServerFrame } from "./codec.ts";
import type { ClientFrame } from "./frames/client-frames.ts";
import { limits } from "./limits.ts";

const user = "01890000-0000-7000-8000-000000000001";
const messageId = "01890000-0000-7000-8000-000000000002";
const send = {
  type: "SEND_MESSAGE",
  request: "1",
  to: { user },
  message_id: messageId,
  since: 0,
  kind: 1,
  envelope: "eyJ2IjoxfQ==",
} as const;

describe("parseClientFrame", () => {
  test("gives back what encodeFrame wrote", () => {
    const parsed = parseClientFrame(encodeFrame(send));
    expect(parsed).toEqual({ ok: true, frame: send });
  });

  test("ignores fields it does not know", () => {
    const parsed = parseClientFrame(JSON.stringify({ ...send, later: { nested: true } }));
    expect(parsed).toEqual({ ok: true, frame: send });
  });

  test.each(["", "nonsense", "1", "null", "[]", '"HELLO"', "{", '{"type":"HEARTBEAT"} x', '{"type":"A","type":"B"}'])(
    "what is no frame at all is fatal: %s",
    (text) => {
      expect(parseClientFrame(text)).toMatchObject({ ok: false, fatal: true });
    },
  );

  test("a deep frame is fatal, at the limit it is only wrong", () => {
    const nested = (depth: number) => `{"type":"HEARTBEAT","x":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    expect(parseClientFrame(nested(limits.jsonDepthMax + 1))).toMatchObject({ fatal: true });
    expect(parseClientFrame(nested(limits.jsonDepthMax))).toMatchObject({ ok: true });
  });

  test("an unknown type is an error and not fatal, and keeps the request", () => {
    const parsed = parseClientFrame('{"type":"CALL","request":"7"}');
    expect(parsed).toMatchObject({ ok: false, fatal: false, code: "unknown_frame", request: "7" });
  });

  test.each(["toString", "constructor", "hasOwnProperty"])("the type %s names no inherited property", (type) => {
    expect(parseClientFrame(JSON.stringify({ type }))).toMatchObject({ fatal: false, code: "unknown_frame" });
  });

  test("a server's frame type is unknown here", () => {
    expect(parseClientFrame('{"type":"WELCOME"}')).toMatchObject({ code: "unknown_frame" });
    expect(parseServerFrame('{"type":"HELLO"}')).toMatchObject({ code: "unknown_frame" });
  });

  test.each([
    ["message_id", "01890000-0000-4000-8000-000000000002"],
    ["message_id", messageId.toUpperCase().replace("01890000", "0189AAAA")],
    ["since", -1],
    ["since", 1.5],
    ["since", Number.MAX_SAFE_INTEGER + 2],
    ["kind", 128],
    ["request", ""],
    ["request", "x".repeat(limits.requestIdLengthMax + 1)],
    ["to", { user: "nobody" }],
    ["to", {}],
    ["envelope", 5],
    ["read", 0],
  ])("a wrong %s (%j) is named", (field, value) => {
    const parsed = parseClientFrame(JSON.stringify({ ...send, [field]: value }));
    expect(parsed).toMatchObject({ ok: false, fatal: false, code: "bad_request" });
    expect(!parsed.ok && parsed.detail.startsWith(field)).toBe(true);
  });

  test("never throws, and answers every text one way or the other", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.string({ unit: fc.constantFrom(...'{}[]":,\\typeHEARTBEAT0'.split("")) }),
      fc
        .record({ type: fc.constantFrom("SYNC", "RANGE", "WATCH", "SEND_MESSAGE"), request: fc.anything() })
        .map(safeJson),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const parsed = parseClientFrame(text);
        expect((parsed.ok ? parsed.frame.type : parsed.detail).length).toBeGreaterThan(0);
      }),
      { numRuns: 1_000 },
    );
  });

  test("one wrong character in a frame never makes another frame of it", () => {
    const text = encodeFrame(send);
    const position = fc.integer({ min: 0, max: text.length - 1 });
    fc.assert(
      fc.property(position, fc.string({ unit: "binary", minLength: 1, maxLength: 2 }), (at, junk) => {
        const parsed = parseClientFrame(text.slice(0, at) + junk + text.slice(at + 1));
        if (!parsed.ok) return;
        const frame = parsed.frame as ClientFrame & { to: { user: string } };
        expect(frame.type).toBe("SEND_MESSAGE");
        expect(frame.to.user).toMatch(/^[0-9a-f-]{36}$/);
      }),
      { numRuns: 1_000 },
    );
  });
});

function safeJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? String(item) : item)) ?? "";
}
