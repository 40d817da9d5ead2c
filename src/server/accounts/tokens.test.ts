import { expect, test } from "vitest";
import { createSeededRandom, createSystemRandom } from "../../base/random.ts";
import { mintToken, tokenHash } from "./tokens.ts";

test("a token shows its kind, carries 256 bits and is found again by its hash", () => {
  const access = mintToken("access", createSystemRandom());
  const refresh = mintToken("refresh", createSystemRandom());
  expect(access.token).toMatch(/^msgr_at_[A-Za-z0-9_-]{43}$/);
  expect(refresh.token).toMatch(/^msgr_rt_[A-Za-z0-9_-]{43}$/);
  expect(tokenHash("access", access.token)).toEqual(access.hash);
  expect(tokenHash("refresh", refresh.token)).toEqual(refresh.hash);
  expect(access.hash).toHaveLength(32);
});

test("tokens differ, and so do their hashes", () => {
  const random = createSeededRandom(1);
  const minted = Array.from({ length: 1_000 }, () => mintToken("access", random));
  expect(new Set(minted.map(({ token }) => token)).size).toBe(1_000);
  expect(new Set(minted.map(({ hash }) => Buffer.from(hash).toString("hex"))).size).toBe(1_000);
});

test.each([
  ["empty", ""],
  ["the other kind", "msgr_rt_" + "A".repeat(43)],
  ["too short", "msgr_at_" + "A".repeat(42)],
  ["too long", "msgr_at_" + "A".repeat(44)],
  ["not base64url", "msgr_at_" + "+".repeat(43)],
  ["padded with a line end", "msgr_at_" + "A".repeat(43) + "\n"],
  ["no prefix", "A".repeat(43)],
])("text that cannot be an access token has no hash: %s", (_what, text) => {
  expect(tokenHash("access", text)).toBeUndefined();
});
