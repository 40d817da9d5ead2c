import { expect, test } from "vitest";
import { createPersonNames } from "./person-names.ts";

test("the same seed gives the same people, another seed others", () => {
  const users = Array.from({ length: 100 }, (_, user) => user);
  const names = users.map(createPersonNames(7));
  expect(users.map(createPersonNames(7))).toEqual(names);
  expect(users.map(createPersonNames(8))).not.toEqual(names);
  expect(new Set(names).size).toBeGreaterThan(90);
});
