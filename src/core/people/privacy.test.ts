import { describe, expect, test } from "vitest";
import type { Audience } from "../model.ts";
import { mayUse, standingOf, type PrivateThing, type Standing } from "./privacy.ts";

const things: readonly PrivateThing[] = ["lastSeen", "profilePhoto", "about", "groups"];

/** Written out a second time on purpose, row by row, as the settings page explains it. */
const expected: readonly (readonly [Audience, Standing, boolean])[] = [
  ["everyone", "self", true],
  ["everyone", "contact", true],
  ["everyone", "stranger", true],
  ["everyone", "blocked", false],
  ["contacts", "self", true],
  ["contacts", "contact", true],
  ["contacts", "stranger", false],
  ["contacts", "blocked", false],
  ["nobody", "self", true],
  ["nobody", "contact", false],
  ["nobody", "stranger", false],
  ["nobody", "blocked", false],
];

describe.each(things)("%s", (thing) => {
  test.each(expected)("for %s, asked by %s: %s", (audience, standing, allowed) => {
    // Every other thing is set to the opposite extreme: only the asked one may decide.
    const opposite: Audience = audience === "nobody" ? "everyone" : "nobody";
    const settings = {
      lastSeen: opposite,
      profilePhoto: opposite,
      about: opposite,
      groups: opposite,
      [thing]: audience,
    };
    expect(mayUse(settings, thing, standing)).toBe(allowed);
  });
});

describe("standingOf", () => {
  test.each([
    [{ contact: true, blocked: false }, false, "contact"],
    [{ contact: false, blocked: false }, false, "stranger"],
    [{ contact: true, blocked: true }, false, "blocked"],
    [{ contact: false, blocked: true }, false, "blocked"],
    [{ contact: true, blocked: false }, true, "blocked"],
    [{ contact: false, blocked: false }, true, "blocked"],
  ] as const)("owner %o, viewer blocks owner: %s", (ownerToViewer, viewerBlocks, standing) => {
    expect(standingOf(ownerToViewer, { blocked: viewerBlocks })).toBe(standing);
  });
});
