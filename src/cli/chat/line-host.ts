import type { GroupActions } from "./group-actions.ts";
import type { ChatAccount } from "./open-chat.ts";
import type { Chat } from "./resolve-chat.ts";

/** What a /command of the line mode may do with the chat around it. */
export interface LineHost {
  readonly account: ChatAccount;
  readonly groups: GroupActions;
  say(text: string): void;
  /** The open chat. Throws CliError `usage` when none is. */
  needCurrent(): Chat;
  open(chat: Chat): Promise<void>;
  /** Throws CliError when the name means no chat, or several. */
  openByName(name: string): Promise<void>;
  closeCurrent(): void;
  /** The open group is called `name` now. */
  renamed(name: string): void;
  /** Shows the last `count` messages of the open chat. */
  showHistory(count: number): Promise<void>;
  /** No further line is read. */
  quit(): void;
}
