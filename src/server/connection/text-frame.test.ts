import type { Writable } from "node:stream";
import * as ws from "ws";
import { describe, expect, test } from "vitest";
import { encodeTextFrame } from "./text-frame.ts";

// Exported by ws, but not declared by its types.
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

function decode(frame: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const receiver = new Receiver({ isServer: false });
    receiver.on("message", (data: Buffer, isBinary: boolean) =>
      isBinary ? reject(new Error("binary")) : resolve(data.toString()),
    );
    receiver.on("error", reject);
    receiver.write(frame);
  });
}

describe("encodeTextFrame", () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])("a standard reader gets %i bytes back", async (length) => {
    const text = "x".repeat(length);
    expect(await decode(encodeTextFrame(text))).toBe(text);
  });

  test("characters of several bytes come back whole", async () => {
    const text = JSON.stringify({ text: "äöü — 語 — 👩‍🚀".repeat(20) });
    expect(await decode(encodeTextFrame(text))).toBe(text);
  });
});
