import { expect, test } from "vitest";
import { didYouMean } from "./did-you-mean.ts";

const known = ["rate", "period", "jitter", "arrival", "in_flight", "per-user-period"];

test.each([
  ["rat", "rate"],
  ["raet", "rate"],
  ["Period", "period"],
  ["perod", "period"],
  ["inflight", "in_flight"],
  ["per-user-perod", "per-user-period"],
])("%s → %s", (written, meant) => expect(didYouMean(written, known)).toBe(meant));

test.each(["colour", "x", ""])("%j resembles nothing", (written) => expect(didYouMean(written, known)).toBeUndefined());
