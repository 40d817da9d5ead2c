import { z } from "zod";
import { deviceField, isVoid, seqField, timeField, uuidField, type PageRow } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { kinds } from "../../protocol/kinds.ts";
import { openPlain } from "../../client/envelope.ts";
import type { NameSource } from "./names.ts";

const kindNames = new Map<number, string>(Object.entries(kinds).map(([name, kind]) => [kind, name]));

/** A message as `--json` prints it: verbatim, with the words that its ids stand for. */
export const messageDocument = z.object({
  /** @handle or the group's name: what `<to>` takes. */
  chat: z.string(),
  conversation_id: uuidField,
  conversation: z.enum(["direct", "group"]),
  seq: seqField,
  message_id: uuidField,
  sender: z.object({ user_id: uuidField, device: deviceField.or(z.literal(0)), handle: z.string().optional() }),
  /** Sent by this account, from whichever device. */
  own: z.boolean(),
  sent_at: timeField,
  /** text, media, reply, reaction, edit, delete, system, or `kind N` for what this version does not know. */
  kind: z.string(),
  text: z.string().optional(),
  /** The whole body; absent when the envelope cannot be opened here. */
  body: z.record(z.string(), z.unknown()).optional(),
  /** Own messages, where it is known. */
  status: z.enum(["sent", "delivered", "read"]).optional(),
});

/** A message as `chat tail` and `chat` print it. */
export const arrivedDocument = messageDocument.extend({
  /** For --since: everything up to and including this line was printed. */
  cursor: z.string(),
});

export type MessageDocument = z.infer<typeof messageDocument>;

export interface MessageContext {
  readonly names: NameSource;
  readonly ownId: Uuid;
  readonly chat: { readonly conversationId: Uuid; readonly kind: "direct" | "group"; readonly label: string };
}

/** Undefined for a void row, which shows nothing. */
export async function describeMessage(context: MessageContext, row: PageRow): Promise<MessageDocument | undefined> {
  if (isVoid(row)) return undefined;
  const { names, ownId, chat } = context;
  const handle = await names.user(row.sender.user);
  const body = openPlain(row.envelope);
  const text = body?.text;
  return {
    chat: chat.label,
    conversation_id: chat.conversationId,
    conversation: chat.kind,
    seq: row.seq,
    message_id: row.message_id,
    sender: { user_id: row.sender.user, device: row.sender.device, ...(handle === undefined ? {} : { handle }) },
    own: row.sender.user === ownId,
    sent_at: row.sent_at,
    kind: kindNames.get(row.kind) ?? `kind ${row.kind}`,
    ...(typeof text === "string" ? { text } : {}),
    ...(body === undefined ? {} : { body }),
  };
}

/** Handles of those whom the body of a system row is about, by id, so that it can be told in words. */
export async function systemNames(names: NameSource, document: MessageDocument): Promise<ReadonlyMap<Uuid, string>> {
  const found = new Map<Uuid, string>();
  if (document.kind !== "system") return found;
  const { actor, users } = document.body ?? {};
  const ids = [actor, ...(Array.isArray(users) ? (users as unknown[]).slice(0, usersNamedMax) : [])];
  for (const id of ids) {
    if (typeof id !== "string" || !uuidField.safeParse(id).success || found.has(id)) continue;
    const handle = await names.user(id);
    if (handle !== undefined) found.set(id, `@${handle}`);
  }
  return found;
}

/** A line names so many people; "and N more" stands for the rest. */
export const usersNamedMax = 8;
