import { expect, test } from "vitest";
import { directoryFlag } from "./stack-options.ts";

test("only the folder that is meant without a flag needs none, not what lies beside or below it", () => {
  const folders = { config: "/config/msgr", state: "/state/msgr", cache: "/cache/msgr" };
  const named = ["stack", "stack-2", "other/stack"].map((name) => `${folders.state}/${name}`);
  expect(named.map((directory) => directoryFlag(directory, { folders }))).toEqual([
    "",
    ` --directory ${folders.state}/stack-2`,
    ` --directory ${folders.state}/other/stack`,
  ]);
  expect(directoryFlag(`${folders.state}2/stack`, { folders })).toBe(` --directory ${folders.state}2/stack`);
});
