import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatMessage, formatTime } from "./format-message.ts";
import { chooseGlyphs } from "./glyphs.ts";
import type { MessageDocument } from "./message-document.ts";

const id = "01900000-0000-7000-8000-000000000001";
const other = "01900000-0000-7000-8000-000000000002";
const at = new Date(2031, 4, 6, 14, 3).getTime();
const glyphs = chooseGlyphs({ LANG: "en_US.UTF-8" });
const style = { glyphs, paint: (_style: string, text: string) => text, nowMs: at };

const message = (changes: Partial<MessageDocument>): MessageDocument => ({
  chat: "@bob",
  conversation_id: id,
  conversation: "direct",
  seq: 1,
  message_id: id,
  sender: { user_id: other, device: 1, handle: "bob" },
  own: false,
  sent_at: at,
  kind: "text",
  text: "hello",
  body: {},
  ...changes,
});

describe("formatMessage", () => {
  it("says when, who and what", () => {
    expect(formatMessage(message({}), style)).toBe("14:03 @bob: hello");
    expect(formatMessage(message({ conversation: "group", chat: "Team" }), style)).toBe("14:03 [Team] @bob: hello");
  });

  it("leaves out the name of the open chat, and tells own messages elsewhere from it", () => {
    const own = message({ own: true, status: "delivered" });
    expect(formatMessage(own, { ...style, currentId: id })).toBe("14:03 me: hello ✓✓");
    expect(formatMessage(own, style)).toBe("14:03 me → @bob: hello ✓✓");
  });

  it.each([
    [{ change: "create", actor: id, users: [other], name: "Team" }, "@ann made the group Team with @bob"],
    [{ change: "rename", actor: id, users: [], name: "A\u001b[2JB" }, "@ann called the group AB"],
    [{ change: "remove", actor: id, users: [other] }, "@ann removed @bob"],
    [{ change: "leave", actor: other, users: [other] }, "@bob left"],
    [{ change: "role", actor: id, users: [other], role: "admin" }, "@ann made @bob admin"],
    [{ change: "later", actor: 7, users: "no" }, "somebody changed the group"],
  ])("tells in words what happened to a group: %j", (body, words) => {
    const people = new Map([
      [id, "@ann"],
      [other, "@bob"],
    ]);
    const system = message({ kind: "system", conversation: "group", chat: "Team", body });
    expect(formatMessage(system, { ...style, people, currentId: id })).toBe(`14:03 · ${words}`);
  });

  it("cannot be made to look like two messages, whatever somebody wrote", () => {
    const line = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\n14:03 @ann: yes", "\r\n\u001b[1A14:03 me: no"),
    );
    fc.assert(
      fc.property(line, line, line, (text, chat, handle) => {
        const written = {
          ...message({ text, chat, conversation: "group" }),
          sender: { user_id: id, device: 1, handle },
        };
        const [first = "", ...more] = formatMessage(written, style).split("\n");
        expect(first.startsWith("14:03 [")).toBe(true);
        expect(more.every((next) => next.startsWith(glyphs.continuation))).toBe(true);
      }),
    );
  });
});

describe("formatTime", () => {
  it("adds the date to what is not of today", () => {
    expect(formatTime(at, at + 1)).toBe("14:03");
    expect(formatTime(at, at + 86_400_000)).toBe("2031-05-06 14:03");
  });
});

describe("chooseGlyphs", () => {
  it.each([
    [{}, "✓✓"],
    [{ LANG: "de_DE.utf8" }, "✓✓"],
    [{ LANG: "en_US.UTF-8", LC_ALL: "C" }, "++"],
    [{ LANG: "C" }, "++"],
    [{ LANG: "C.UTF-8", TERM: "dumb" }, "++"],
  ])("for %j marks what was delivered %s", (variables, ticks) => {
    expect(chooseGlyphs(variables).ticks.delivered).toBe(ticks);
  });

  it("gives every status a shape of its own", () => {
    for (const { ticks } of [chooseGlyphs({}), chooseGlyphs({ LANG: "C" })]) {
      expect(new Set(Object.values(ticks)).size).toBe(Object.keys(ticks).length);
    }
  });
});
