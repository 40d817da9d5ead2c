import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defaultSettings, type User } from "../../core/model.ts";
import {
  nameField,
  ownProfileBody,
  ownProfileToBody,
  profileToBody,
  queryNumber,
  settingNames,
  settingsBody,
  settingsFromBody,
  settingsToBody,
  visibleText,
} from "./bodies.ts";
import { parsed } from "./parsed.ts";

const userId = "0199a0c0-0000-7000-8000-00000000000a";
const user: User = {
  userId,
  handle: "ada",
  displayName: "Ada",
  statusMessage: "at sea",
  photoUrl: "https://example.org/ada.png",
  createdAt: 1,
  lastLoginAt: 2,
  settings: defaultSettings,
};

describe("settings", () => {
  test("go there and back whole", () => {
    const body = settingsToBody(defaultSettings);
    expect(settingsBody.parse(body)).toEqual(body);
    expect(settingsFromBody(body)).toEqual(defaultSettings);
  });

  test("are all named", () => {
    expect(Object.values(settingNames).toSorted()).toEqual(Object.keys(defaultSettings).toSorted());
    expect(Object.keys(settingNames).toSorted()).toEqual(Object.keys(settingsBody.shape).toSorted());
  });

  test("name a sound in text that every store can keep", () => {
    const body = settingsToBody(user.settings);
    expect(settingsBody.safeParse({ ...body, notification_sound: "bell\u0000" }).success).toBe(false);
    expect(settingsBody.safeParse({ ...body, notification_sound: "Κουδούνι" }).success).toBe(true);
  });

  test("that are not given stay out of the patch", () => {
    expect(settingsFromBody({ about: "nobody" })).toEqual({ about: "nobody" });
  });
});

describe("profiles", () => {
  test("are told as they are, to their owner with everything", () => {
    const body = ownProfileToBody(user);
    expect(ownProfileBody.parse(body)).toEqual(body);
    expect(body).toMatchObject({ user_id: userId, photo_url: user.photoUrl, status_message: "at sea" });
  });

  test("leave out what is hidden or was removed", () => {
    const hidden = { userId, handle: "ada", displayName: "Ada" };
    expect(profileToBody(hidden)).toEqual({ user_id: userId, handle: "ada", display_name: "Ada" });
    expect(profileToBody({ ...hidden, photoUrl: "" })).not.toHaveProperty("photo_url");
    expect(ownProfileToBody({ ...user, photoUrl: "" })).not.toHaveProperty("photo_url");
  });
});

describe("text that people see", () => {
  test.each(["", "Ada", "Ada Lovelace", "Ελένη", "👩‍🚀", "x".repeat(10)])("may be %j", (text) => {
    expect(visibleText(10 + text.length).safeParse(text).success).toBe(true);
  });

  test.each([" Ada", "Ada ", "a\nb", "a\u0000b", "a\u2028b", "a\u0085b", "x".repeat(11)])("may not be %j", (text) => {
    expect(visibleText(10).safeParse(text).success).toBe(false);
  });

  test("as a name is not empty", () => {
    expect(nameField(10).safeParse("").success).toBe(false);
    expect(nameField(10).safeParse("Ada").success).toBe(true);
  });
});

describe("numbers in a query", () => {
  const limit = queryNumber(z.int().min(1).max(200));
  test("are digits within their range", () => {
    expect(limit.parse("200")).toBe(200);
    for (const wrong of ["0", "201", "", "-1", "1e2", "0x10", " 1", "1.0", "١", "9".repeat(17)]) {
      expect(limit.safeParse(wrong).success).toBe(false);
    }
  });
});

describe("a part of a request", () => {
  const schema = z.object({ name: z.string(), deep: z.object({ list: z.array(z.number()) }).optional() });

  test("is named with the field that is wrong", () => {
    const detailOf = (value: unknown): string => {
      try {
        return JSON.stringify(parsed(schema, value, "body"));
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(detailOf({ name: 5 })).toMatch(/^body\.name: /);
    expect(detailOf({ name: "x", deep: { list: [1, "2"] } })).toMatch(/^body\.deep\.list\.1: /);
    expect(detailOf([])).toMatch(/^body: /);
    expect(detailOf(null)).toMatch(/^body: /);
    expect(detailOf(undefined)).toMatch(/^body\.name: /);
  });

  test("loses what nobody asked for", () => {
    expect(parsed(schema, { name: "x", more: 1 }, "body")).toEqual({ name: "x" });
  });
});
