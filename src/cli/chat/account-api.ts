import { z } from "zod";
import { systemClock } from "../../base/clock.ts";
import { registersField, uuidField, type PageRow, type Registers } from "../../protocol/fields.ts";
import { ack, historyPage, receiptsPage } from "../../protocol/frames/server-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { parseAnswer } from "../../client/runtime/answer.ts";
import { DirectoryApi } from "../../client/runtime/directory-api.ts";
import { ApiError } from "../../client/runtime/http.ts";
import { SessionKeeper } from "../../client/runtime/session-keeper.ts";
import type { Account } from "../accounts/account-file.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { AccountChoice } from "../accounts/choose-account.ts";
import { createRenewal, sessionOf } from "../accounts/shared-session.ts";

const conversationBody = z.object({
  conversation_id: uuidField,
  kind: z.enum(["direct", "group"]),
  peer_id: uuidField.optional(),
  registers: registersField,
});
const conversationsBody = z.object({ conversations: z.array(conversationBody), next: z.string().optional() });
const ackBody = ack.omit({ type: true, request: true });
const historyBody = historyPage.omit({ type: true, request: true });
const receiptsBody = receiptsPage.omit({ type: true, request: true });
const presenceBody = z.object({ presence: z.array(z.object({ user_id: uuidField, online: z.boolean() })) });

export interface Conversation {
  readonly conversationId: Uuid;
  readonly kind: "direct" | "group";
  readonly peerId: Uuid | undefined;
  readonly registers: Registers;
}

export type SentAnswer = z.infer<typeof ackBody>;
export type HistoryAnswer = Omit<z.infer<typeof historyBody>, "messages"> & { readonly messages: readonly PageRow[] };
export type ReceiptsAnswer = z.infer<typeof receiptsBody>;

/** What SEND_MESSAGE carries, as it is kept until it is answered. */
export interface OutgoingBody {
  readonly to: { readonly user: Uuid } | { readonly conversation: Uuid };
  readonly message_id: Uuid;
  readonly since: number;
  readonly kind: number;
  readonly envelope: string;
}

/**
 * One account over HTTP: for commands that ask or send once and end. They open no connection, so that they run beside a
 * `chat` or `tail` of the same device, which may have only one. Every call rejects with ApiError.
 */
export class AccountApi {
  readonly account: Account;
  readonly directory: DirectoryApi;
  readonly #keeper: SessionKeeper;

  constructor(store: AccountStore, choice: AccountChoice) {
    const { account } = choice;
    this.account = account;
    const http = { url: account.server };
    const renew = createRenewal(store, choice);
    this.#keeper = new SessionKeeper(http, systemClock, sessionOf(account), () => undefined, renew);
    this.directory = new DirectoryApi((request) => this.#keeper.request(request));
  }

  /** Most recent first, at most `countMax`. */
  async conversations(countMax: number): Promise<readonly Conversation[]> {
    const found: Conversation[] = [];
    let cursor: string | undefined;
    while (found.length < countMax) {
      const query = new URLSearchParams({ limit: String(Math.min(limits.pageRowsMax, countMax - found.length)) });
      if (cursor !== undefined) query.set("cursor", cursor);
      const answer = await this.#keeper.request({ method: "GET", path: `/api/conversations?${query.toString()}` });
      const page = parseAnswer(conversationsBody, answer);
      for (const { conversation_id, kind, peer_id, registers } of page.conversations) {
        found.push({ conversationId: conversation_id, kind, peerId: peer_id, registers });
      }
      if (page.next === undefined || page.conversations.length === 0) break;
      cursor = page.next;
    }
    return found;
  }

  /** A page of rows below `before` (default: the newest), ascending. Rejects with `no_such_conversation`. */
  async history(conversationId: Uuid, limit: number, before?: number): Promise<HistoryAnswer> {
    const query = new URLSearchParams({ limit: String(limit) });
    if (before !== undefined) query.set("before", String(before));
    const path = `/api/conversations/${conversationId}/messages?${query.toString()}`;
    return parseAnswer(historyBody, await this.#keeper.request({ method: "GET", path }));
  }

  /** The highest seq there is; 0 for a conversation that does not exist yet. */
  async head(conversationId: Uuid): Promise<number> {
    try {
      return (await this.history(conversationId, 1)).to;
    } catch (error) {
      if (error instanceof ApiError && error.code === "no_such_conversation") return 0;
      throw error;
    }
  }

  async receipts(conversationId: Uuid, seq?: number): Promise<ReceiptsAnswer> {
    const query = seq === undefined ? "" : `?seq=${seq}`;
    const path = `/api/conversations/${conversationId}/receipts${query}`;
    return parseAnswer(receiptsBody, await this.#keeper.request({ method: "GET", path }));
  }

  /** Resolves when the message is on the server's disk. Idempotent by message_id. */
  async send(message: OutgoingBody): Promise<SentAnswer> {
    return parseAnswer(ackBody, await this.#keeper.request({ method: "POST", path: "/api/messages", body: message }));
  }

  /** Those of `userIds` (at most watchedUsersMax) who are known to be online. */
  async online(userIds: readonly Uuid[]): Promise<ReadonlySet<Uuid>> {
    if (userIds.length === 0) return new Set();
    const ids = userIds.slice(0, limits.watchedUsersMax).join(",");
    const answer = parseAnswer(
      presenceBody,
      await this.#keeper.request({ method: "GET", path: `/api/presence?ids=${ids}` }),
    );
    return new Set(answer.presence.filter(({ online }) => online).map(({ user_id }) => user_id));
  }
}
