import { safeLine, safeText } from "../../base/safe-text.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Style } from "../output.ts";
import type { Glyphs } from "./glyphs.ts";
import { usersNamedMax, type MessageDocument } from "./message-document.ts";

export interface MessageStyle {
  readonly glyphs: Glyphs;
  readonly paint: (style: Style, text: string) => string;
  /** Wall time, ms: today's messages are shown without a date. */
  readonly nowMs: number;
  /** The chat that is open anyway: its name is left out. */
  readonly currentId?: Uuid | undefined;
  /** Handles of those whom a system message is about. */
  readonly people?: ReadonlyMap<Uuid, string>;
}

/** A message as lines for a terminal. Everything that others wrote passes safeText. */
export function formatMessage(message: MessageDocument, style: MessageStyle): string {
  const { glyphs, paint } = style;
  const isOpen = message.conversation_id === style.currentId;
  const time = paint("dim", formatTime(message.sent_at, style.nowMs));
  const [first = "", ...more] = wordsOf(message, style).split("\n");
  const ticks = message.status === undefined ? "" : ` ${paint("dim", glyphs.ticks[message.status])}`;
  const head = [time, ...(isOpen || message.conversation === "direct" ? [] : [groupLabel(message.chat, paint)])];
  if (message.kind === "system") head.push(glyphs.dot);
  else head.push(`${senderOf(message, style, isOpen)}:`);
  const lines = [`${head.join(" ")} ${first}`, ...more.map((line) => `${glyphs.continuation}${line}`)];
  return `${lines.join("\n")}${ticks}`;
}

/** Brackets are ours: a group cannot be called so that it looks like a sender. */
export function groupLabel(name: string, paint: MessageStyle["paint"]): string {
  return paint("cyan", `[${safeLine(name).replaceAll("[", "(").replaceAll("]", ")")}]`);
}

function senderOf(message: MessageDocument, { glyphs, paint }: MessageStyle, isOpen: boolean): string {
  const { handle, user_id } = message.sender;
  if (!message.own) return paint("bold", handle === undefined ? user_id : `@${safeLine(handle)}`);
  const isElsewhere = message.conversation === "direct" && !isOpen;
  return isElsewhere ? `me ${glyphs.arrow} ${safeLine(message.chat)}` : "me";
}

function wordsOf(message: MessageDocument, style: MessageStyle): string {
  const text = message.text === undefined ? undefined : safeText(message.text);
  if (message.body === undefined) return "(cannot be opened by this version)";
  switch (message.kind) {
    case "text":
    case "reply":
      return text ?? "(empty)";
    case "media":
      return `(a file, which this version cannot show)${text === undefined ? "" : ` ${text}`}`;
    case "reaction":
      return `(reacted: ${text ?? "?"})`;
    case "edit":
      return `(edited) ${text ?? ""}`;
    case "delete":
      return "(deleted a message)";
    case "system":
      return systemWords(message.body, style.people ?? new Map<Uuid, string>());
    default:
      return text ?? "(of a kind that this version does not know)";
  }
}

/** What happened to the group: the body is the server's, but what stands in it came from people. */
function systemWords(body: Readonly<Record<string, unknown>>, people: ReadonlyMap<Uuid, string>): string {
  const nameOf = (id: unknown): string => (typeof id === "string" ? safeLine(people.get(id) ?? id) : "somebody");
  const users = Array.isArray(body["users"]) ? (body["users"] as unknown[]) : [];
  const more = users.length > usersNamedMax ? ` and ${users.length - usersNamedMax} more` : "";
  const named = `${users.slice(0, usersNamedMax).map(nameOf).join(", ")}${more}`;
  const name = typeof body["name"] === "string" ? safeLine(body["name"]) : "?";
  const actor = nameOf(body["actor"]);
  switch (body["change"]) {
    case "create":
      return `${actor} made the group ${name}${named === "" ? "" : ` with ${named}`}`;
    case "rename":
      return `${actor} called the group ${name}`;
    case "add":
      return `${actor} added ${named}`;
    case "remove":
      return `${actor} removed ${named}`;
    case "leave":
      return `${actor} left`;
    case "role":
      return `${actor} made ${named} ${safeLine(String(body["role"]))}`;
    default:
      return `${actor} changed the group`;
  }
}

/** `14:03` today, else `2031-02-28 14:03`, in the time zone of this machine. */
export function formatTime(timeMs: number, nowMs: number): string {
  const time = new Date(timeMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = (day: Date): string => `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
  return date(time) === date(new Date(nowMs)) ? clock : `${date(time)} ${clock}`;
}
