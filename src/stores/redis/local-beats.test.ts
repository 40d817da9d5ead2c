import { expect, test } from "vitest";
import { LocalBeats } from "./local-beats.ts";

test("users whose last beat is old enough are found, and nobody else", () => {
  const beats = new LocalBeats();
  beats.note("old", 1, "a", 0);
  beats.note("both", 1, "b", 0);
  beats.note("new", 1, "c", 30);
  beats.note("both", 2, "d", 40);
  expect(beats.silentUsers(44, 45)).toEqual([]);
  expect(beats.silentUsers(45, 45)).toEqual(["old"]);
  expect(beats.silentOf("both", 45, 45).map((beat) => beat.connection)).toEqual(["b"]);
});

test("a beat that could not be withdrawn does not displace the connection that came after it", () => {
  const beats = new LocalBeats();
  const old = beats.note("user", 1, "old", 0);
  beats.remove("user", old);
  beats.restore("user", old);
  expect(beats.get("user", 1, "old")).toBe(old);
  const next = beats.note("user", 1, "next", 1);
  beats.restore("user", old);
  expect([...beats.all()].map(({ beat }) => beat)).toEqual([next]);
});
