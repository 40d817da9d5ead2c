import { z } from "zod";
import { historyPage, receiptsPage } from "../../../protocol/frames/server-frames.ts";
import { registersField, seqField, timeField, uuidField } from "../../../protocol/fields.ts";
import { limits } from "../../../protocol/limits.ts";
import { isGroupId } from "../../../core/membership/member-intervals.ts";
import { toRegisters } from "../../../core/lists/registers.ts";
import { idParams, queryNumber } from "../bodies.ts";
import { endpoint } from "../endpoint.ts";
import { listPage } from "../list-cursor.ts";
import { historyPageFields, receiptsPageFields } from "../../routes/pages.ts";

const conversationBody = z.object({
  conversation_id: uuidField,
  kind: z.enum(["direct", "group"]),
  peer_id: uuidField.optional(),
  registers: registersField,
});
const conversationsPerPageDefault = 50;

export const listConversations = endpoint(
  {
    method: "GET",
    url: "/api/conversations",
    rule: "read",
    summary: "The caller's conversations, most recent first",
    query: z.object({
      limit: queryNumber(z.int().min(1).max(limits.pageRowsMax)).optional(),
      cursor: z.string().max(128).optional(),
    }),
    status: 200,
    answer: z.object({ conversations: z.array(conversationBody), next: z.string().optional() }),
  },
  async ({ core }, caller, { query }) => {
    const list = await core.reading.list(caller);
    const { rows, next } = listPage(list, query.cursor, query.limit ?? conversationsPerPageDefault);
    return {
      conversations: rows.map((row) => ({
        conversation_id: row.conversationId,
        kind: row.kind,
        ...(row.peerId === undefined ? {} : { peer_id: row.peerId }),
        registers: toRegisters(row),
      })),
      ...(next === undefined ? {} : { next }),
    };
  },
);

export const readMessages = endpoint(
  {
    method: "GET",
    url: "/api/conversations/:id/messages",
    rule: "read",
    summary: "A page of history before a seq, ascending",
    params: idParams,
    query: z.object({
      before: queryNumber(seqField).optional(),
      limit: queryNumber(z.int().min(1).max(limits.pageRowsMax)).optional(),
    }),
    status: 200,
    answer: historyPage.omit({ type: true, request: true }),
  },
  async ({ core }, caller, { params, query }) => {
    const before = query.before === undefined ? undefined : { seq: query.before };
    return historyPageFields(
      params.id,
      await core.reading.history(caller, params.id, before, query.limit ?? limits.syncInitialRows),
    );
  },
);

export const readReceipts = endpoint(
  {
    method: "GET",
    url: "/api/conversations/:id/receipts",
    rule: "read",
    summary: "Who got it and who read it; with seq also counted for that message",
    params: idParams,
    query: z.object({ seq: queryNumber(seqField).optional() }),
    status: 200,
    answer: receiptsPage.omit({ type: true, request: true }),
  },
  async ({ core }, caller, { params, query }) =>
    receiptsPageFields(params.id, await core.receipts.page(caller, params.id, query.seq)),
);

const settingsBody = z.object({ muted_until: timeField, pinned: z.boolean(), archived: z.boolean() });

export const readConversationSettings = endpoint(
  {
    method: "GET",
    url: "/api/conversations/:id/settings",
    summary: "How the caller keeps a conversation",
    params: idParams,
    status: 200,
    answer: settingsBody,
  },
  async ({ settings }, caller, { params }) => {
    const found = (await settings.all(caller.userId)).find((entry) => entry.conversationId === params.id);
    return { muted_until: found?.mutedUntil ?? 0, pinned: found?.pinned ?? false, archived: found?.archived ?? false };
  },
);

export const writeConversationSettings = endpoint(
  {
    method: "PUT",
    url: "/api/conversations/:id/settings",
    summary: "Mute, pin or archive a conversation",
    params: idParams,
    body: settingsBody,
    status: 200,
    answer: settingsBody,
  },
  async ({ core, settings, bus }, caller, { params, body }) => {
    // Only for conversations that exist for the caller: otherwise rows could be made without bound.
    await core.reading.registers(caller, params.id);
    await settings.write(caller.userId, {
      conversationId: params.id,
      mutedUntil: body.muted_until,
      pinned: body.pinned,
      archived: body.archived,
    });
    const kind = isGroupId(params.id) ? "group" : "direct";
    bus.deliver({
      userIds: [caller.userId],
      frame: { type: "CONVERSATION_UPDATE", conversation_id: params.id, kind, change: "settings" },
      except: caller,
    });
    return body;
  },
);
