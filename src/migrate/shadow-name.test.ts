import { expect, test } from "vitest";
import { isStaleShadow, shadowName } from "./shadow-name.ts";

const now = Date.UTC(2026, 10, 21);
const nonce = "0123abcd-89ab-4cde-8f01-23456789abcd";
const minuteMs = 60_000;

test("a shadow is stale ten minutes after it was made, and is known by its owner", () => {
  const name = shadowName("msgr", now, nonce);
  expect(isStaleShadow(name, "msgr", now)).toBe(false);
  expect(isStaleShadow(name, "msgr", now + 9 * minuteMs)).toBe(false);
  expect(isStaleShadow(name, "msgr", now + 11 * minuteMs)).toBe(true);
  expect(isStaleShadow(name, "other", now + 11 * minuteMs)).toBe(false);
  // A clock that is behind takes nothing away.
  expect(isStaleShadow(name, "msgr", now - 60 * minuteMs)).toBe(false);
});

test.each(["msgr", "msgr_shadow_", "msgr_shadow_old", "msgr_shadow_0123abcd", "my_msgr_shadow_t00000aaaaaaaa"])(
  "%s is nobody's shadow",
  (name) => {
    expect(isStaleShadow(name, "msgr", now)).toBe(false);
  },
);

test("the longest name of a keyspace has a shadow that is no longer than a keyspace may be", () => {
  const owner = "k".repeat(48);
  const name = shadowName(owner, now, nonce);
  expect(name.length).toBeLessThanOrEqual(48);
  expect(isStaleShadow(name, owner, now + 11 * minuteMs)).toBe(true);
});
