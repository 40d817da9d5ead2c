import { setTimeout as pause } from "node:timers/promises";
import { safeLine } from "../../base/safe-text.ts";
import { isVoid, type PageRow } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { DeliveryError } from "../../client/runtime/delivery-waiters.ts";
import type { HostEvent } from "../../client/runtime/device-host.ts";
import { ApiError } from "../../client/runtime/http.ts";
import { explainError } from "../accounts/explain-error.ts";
import { CliError } from "../cli-error.ts";
import type { Output } from "../output.ts";
import { ConnectionTalk } from "./connection-talk.ts";
import { contextOf } from "./describe-arrival.ts";
import { nowMs, type ArrivedMessage, type DeviceSession } from "./device-session.ts";
import { formatMessage } from "./format-message.ts";
import type { Glyphs } from "./glyphs.ts";
import { GroupActions } from "./group-actions.ts";
import { runLineCommand } from "./line-commands.ts";
import type { LineHost } from "./line-host.ts";
import type { LineInput } from "./line-input.ts";
import { describeMessage, systemNames, type MessageContext, type MessageDocument } from "./message-document.ts";
import type { ChatAccount } from "./open-chat.ts";
import { findLocally, resolveChat, type Chat } from "./resolve-chat.ts";
import { TickTalk } from "./tick-talk.ts";

const rowsShown = 10;
const unreadShownMax = 100;
const historyTimeoutMs = 3_000;
/** A pipe is read no faster than the server takes what it says. */
const outboxPauseAt = 256;
const outboxPollMs = 10;

export interface LineChatParts {
  readonly account: ChatAccount;
  readonly session: DeviceSession;
  readonly output: Output;
  readonly glyphs: Glyphs;
  readonly input: LineInput;
  /** Both ends are a terminal: what is shown was seen, ticks are told, the past is shown first. */
  readonly isTerminal: boolean;
}

/** `msgr chat` line by line: each line typed is a message to the open chat, or a /command; messages of all chats are printed. */
export class LineChat implements LineHost {
  readonly account: ChatAccount;
  readonly groups: GroupActions;
  readonly #parts: LineChatParts;
  readonly #connection: ConnectionTalk;
  readonly #ticks: TickTalk;
  /** Own messages of this process: they stand on the screen as they were typed. */
  readonly #typed = new Set<Uuid>();
  #current: Chat | undefined = undefined;
  #hasQuit = false;
  /** Until the past of the chat has been shown, what arrives is part of it. */
  #isShowing: boolean;
  #failures = 0;

  constructor(parts: LineChatParts) {
    const { account, session, glyphs, output } = parts;
    this.account = account;
    this.groups = new GroupActions(account.api, account.names);
    this.#parts = parts;
    this.#isShowing = !parts.isTerminal;
    this.#connection = new ConnectionTalk((text) => this.say(output.style("dim", text)));
    this.#ticks = new TickTalk(session.client, (status) =>
      this.say(output.style("dim", `      ${glyphs.ticks[status]}`)),
    );
    session.client.onEvent((event) => this.#hear(event));
  }

  /** Lines that could not be carried out. */
  get failures(): number {
    return this.#failures;
  }

  /** Begins to print, and to show what there is. */
  async begin(to: string | undefined, syncTimeoutMs: number): Promise<void> {
    const { session, isTerminal } = this.#parts;
    session.listen(undefined, (message) => this.#show(message));
    session.client.connect();
    if (isTerminal) await session.synced(syncTimeoutMs);
    await session.settled();
    if (to === undefined) this.#sayUnread();
    else await this.openByName(to);
    this.#isShowing = true;
  }

  /** Until the input ends or /quit. */
  async readLines(): Promise<void> {
    const { input, isTerminal } = this.#parts;
    for await (const line of input.lines) {
      try {
        await this.#handle(line);
      } catch (error) {
        this.#failures++;
        this.#sayError(error);
      }
      if (this.#hasQuit) return;
      if (!isTerminal) await this.#roomInOutbox();
    }
  }

  async #roomInOutbox(): Promise<void> {
    while (this.unsent() >= outboxPauseAt) await pause(outboxPollMs);
  }

  quit(): void {
    this.#hasQuit = true;
  }

  end(): void {
    this.#connection.end();
    this.#ticks.end();
    this.#parts.input.close();
  }

  /** Messages that wait for the server. */
  unsent(): number {
    return this.#parts.session.client.outbox().filter(({ state }) => state === "pending").length;
  }

  say(text: string): void {
    const { input, output } = this.#parts;
    input.around(() => output.talk(text));
  }

  needCurrent(): Chat {
    if (this.#current !== undefined) return this.#current;
    throw new CliError("usage", "No chat is open.", { fix: "/to @handle or /to GROUP opens one." });
  }

  async openByName(name: string): Promise<void> {
    const { account, session } = this.#parts;
    try {
      await this.open(await resolveChat(account.api, account.names, name));
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "unreachable") throw error;
      const known = await findLocally(session.client.conversations(), account.names, name);
      if (known === undefined) throw error;
      await this.open(known);
    }
  }

  async open(chat: Chat): Promise<void> {
    const { session, input, isTerminal } = this.#parts;
    this.closeCurrent();
    this.#current = chat;
    this.#ticks.open(chat.conversationId);
    session.client.openConversation(chat.conversationId);
    input.setPrompt(`${safeLine(chat.label)}> `);
    if (isTerminal) await this.showHistory(rowsShown);
  }

  closeCurrent(): void {
    const { session, input } = this.#parts;
    if (this.#current === undefined) return;
    session.client.closeConversation(this.#current.conversationId);
    this.#current = undefined;
    this.#ticks.open(undefined);
    input.setPrompt("> ");
  }

  renamed(name: string): void {
    if (this.#current === undefined) return;
    this.#current = { ...this.#current, label: name };
    this.#parts.input.setPrompt(`${safeLine(name)}> `);
  }

  /** The last rows of the open chat, all unread ones among them up to a bound; then they are read. */
  async showHistory(count: number): Promise<void> {
    const { client } = this.#parts.session;
    const chat = this.needCurrent();
    const { conversationId } = chat;
    const view = client.conversation(conversationId);
    if (view === undefined) return;
    const readSeq = view.registers.read_seq;
    const wanted = Math.max(count, Math.min(unreadShownMax, view.filled - readSeq));
    const isShort = client.messages(conversationId, wanted).length < wanted && view.start > 1;
    if (isShort) await client.loadHistory(conversationId, wanted, historyTimeoutMs).catch(() => false);
    let isPastNews = false;
    for (const row of client.messages(conversationId, wanted)) {
      if (isVoid(row)) continue;
      if (!isPastNews && row.seq > readSeq && row.sender.user !== client.userId) {
        isPastNews = true;
        const { dash } = this.#parts.glyphs;
        this.say(this.#parts.output.style("yellow", `${dash} new ${dash}`));
      }
      await this.#print({ names: this.account.names, ownId: client.userId, chat }, row, undefined);
    }
    if (this.#parts.isTerminal) client.markRead(conversationId, view.head);
  }

  async #handle(line: string): Promise<void> {
    if (line.startsWith("/") && !line.startsWith("//")) return runLineCommand(this, line);
    const text = line.startsWith("//") ? line.slice(1) : line;
    if (text.trim() === "") return;
    const { messageId } = this.#parts.session.client.send({ to: this.needCurrent().to, body: { text } });
    this.#typed.add(messageId);
  }

  /** A message that arrived. */
  async #show(message: ArrivedMessage): Promise<void> {
    const { session, account, isTerminal } = this.#parts;
    const { row, conversationId } = message;
    if (this.#typed.delete(row.message_id) || !this.#isShowing) return;
    const context = await contextOf(session, account.names, message);
    await this.#print(context, row, message.cursor);
    if (isTerminal && conversationId === this.#current?.conversationId)
      session.client.markRead(conversationId, row.seq);
  }

  async #print(context: MessageContext, row: PageRow, cursor: string | undefined): Promise<void> {
    const described = await describeMessage(context, row);
    if (described === undefined || isVoid(row)) return;
    const { output, glyphs, input } = this.#parts;
    const message =
      described.own && described.kind !== "system" ? this.#withStatus(described, row.max_status) : described;
    const people = await systemNames(context.names, message);
    const currentId = this.#current?.conversationId;
    const style = { glyphs, paint: output.styleData.bind(output), nowMs: nowMs(), currentId, people };
    const document = cursor === undefined ? message : { ...message, cursor };
    input.around(() => output.data(document, () => formatMessage(message, style)));
  }

  #withStatus(message: MessageDocument, maxStatus: "sent" | undefined): MessageDocument {
    const { client } = this.#parts.session;
    return { ...message, status: client.statusOf(message.conversation_id, message.seq, maxStatus) };
  }

  #hear(event: HostEvent): void {
    const { session, isTerminal } = this.#parts;
    this.#connection.hear(event);
    if (isTerminal) this.#ticks.hear(event);
    if (event.type !== "send_failed") return;
    const { messageId, state, message } = event;
    this.#failures++;
    this.say(`! ${state === "unknown" ? "may not have been sent" : "not sent"}: ${safeLine(message)}`);
    // Not from inside the event: the machine is in the middle of it.
    queueMicrotask(() => session.client.discard(messageId));
  }

  #sayUnread(): void {
    const { client } = this.#parts.session;
    const count = client.conversations().filter(({ conversationId }) => client.unread(conversationId).count > 0).length;
    const unread = count === 0 ? "Nothing is unread." : `${count} of your chats have unread messages.`;
    this.say(`${unread} /chats lists them, /to @handle opens one, /help shows the rest.`);
  }

  #sayError(error: unknown): void {
    const explained = explainError(error, this.account.choice);
    if (explained instanceof CliError) {
      const fix = explained.fix === undefined ? "" : ` ${explained.fix}`;
      this.say(`! ${explained.message}${fix}`);
    } else if (error instanceof DeliveryError) this.say(`! not sent: ${error.message}`);
    else throw error;
  }
}
