/**
 * The plain data that the checkers take, one conversation at a time: the bench fills them from typed arrays, the
 * simulator from objects. Names (of messages, devices, users) are compared for equality only.
 */
export type Name = string | number;

export interface LogRow {
  readonly seq: number;
  readonly id: Name;
  /** Sending device. */
  readonly sender: Name;
  readonly user: Name;
  /** Number within (sender, conversation) from 1; 0 for rows that nobody of this run sent (system rows, earlier runs). */
  readonly n: number;
  /** Counts as unread until read. */
  readonly countable: boolean;
}

export interface SentMessage {
  readonly id: Name;
  readonly sender: Name;
  readonly n: number;
  /** undecided: the run ended, or the client gave up, without an answer; it may be in the log or not. */
  readonly outcome: "acked" | "refused" | "undecided";
  /** Of the ACK; 0 without one. */
  readonly seq: number;
  /** Any clock that all senders share. */
  readonly sentAt: number;
  /** Infinity without an ACK. */
  readonly ackedAt: number;
}
