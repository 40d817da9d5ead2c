import { mixFloat, seedFor } from "../data/mix.ts";
import { eachOf } from "../driver/each-of.ts";
import { checkAckedInLog } from "../ledger/check-acked-in-log.ts";
import { checkDistinct } from "../ledger/check-distinct.ts";
import { checkOrder } from "../ledger/check-order.ts";
import type { FaultList } from "../ledger/faults.ts";
import type { StoreLedger } from "../ledger/store-ledger.ts";
import type { LogRow, SentMessage } from "../ledger/types.ts";
import type { StoreConversations } from "./store-conversations.ts";
import type { ConversationLists, MessageLog } from "./store-operations.ts";

/** Reads the conversations of a workload back and closes their account by the same checks as a run on a server. */
export interface ReadBackParts {
  readonly conversations: StoreConversations;
  readonly log: MessageLog;
  /** Undefined: no list rows were written. */
  readonly lists: ConversationLists | undefined;
  readonly seed: number;
  /** Share of the conversations that are read. */
  readonly logShare: number;
}

const conversationsAtOnce = 16;

export async function readBack(parts: ReadBackParts, ledger: StoreLedger): Promise<void> {
  const { conversations, seed, logShare } = parts;
  const sample = seedFor(seed, "scan");
  const written = Array.from({ length: conversations.count }, (_, index) => index).filter(
    (index) => conversations.attemptsOf(index) > 0,
  );
  const read = written.filter((index) => mixFloat(sample, index, 0) < logShare);
  ledger.conversationsUnscanned += written.length - read.length;
  await eachOf(read, conversationsAtOnce, async (index) => {
    const rows = await readLog(parts, index);
    ledger.conversationsScanned++;
    ledger.logRows += rows.length;
    const lists = await readLists(parts, index);
    ledger.undecidedInLog += checkConversation(conversations, index, rows, lists, ledger.faults);
  });
}

/** Answers how many of the undecided are in the log. */
export function checkConversation(
  conversations: Pick<StoreConversations, "idOf" | "messageId" | "ackedOf" | "undecidedOf">,
  index: number,
  rows: readonly { readonly seq: number; readonly messageId: string }[],
  lists: readonly { readonly member: string; readonly lastSeq: number }[],
  faults: FaultList,
): number {
  const conversation = conversations.idOf(index);
  const sent: SentMessage[] = [];
  const numbers = new Map<string, number>();
  const enter = (attempt: number, outcome: SentMessage["outcome"], seq: number): void => {
    const id = conversations.messageId(index, attempt);
    numbers.set(id, attempt);
    // One after the other: each was sent when the one before had been acked.
    sent.push({ id, sender: "bench", n: attempt, outcome, seq, sentAt: attempt, ackedAt: attempt });
  };
  for (const [attempt, seq] of conversations.ackedOf(index)) enter(attempt, "acked", seq);
  for (const attempt of conversations.undecidedOf(index)) enter(attempt, "undecided", 0);
  const log = rows.map(({ seq, messageId }): LogRow => {
    // A row that nobody of this run wrote is one too many, whatever its number.
    const n = numbers.get(messageId) ?? Number.MAX_SAFE_INTEGER;
    return { seq, id: messageId, sender: "bench", user: "bench", n, countable: true };
  });
  checkDistinct(conversation, log, sent, faults);
  checkOrder({ conversation, log, sent }, faults);
  return checkAckedInLog({ conversation, sent, log, lists }, faults);
}

async function readLog({ conversations, log }: ReadBackParts, index: number) {
  const id = conversations.idOf(index);
  // A serial read, which settles what is open, is dearer and needed only where something is.
  const consistency = conversations.undecidedOf(index).size === 0 ? "latest" : "serial";
  const rows: { seq: number; messageId: string }[] = [];
  // No attempt can have reached further than this.
  const lastBucket = Math.floor((conversations.attemptsOf(index) - 1) / log.bucketRows);
  for (let bucket = 0; bucket <= lastBucket; bucket++) {
    const page = await log.readBucket(id, bucket, 1, Number.MAX_SAFE_INTEGER, log.bucketRows, consistency);
    for (const { seq, messageId } of page.rows) rows.push({ seq, messageId });
  }
  return rows;
}

async function readLists({ conversations, lists }: ReadBackParts, index: number) {
  // The list rows of an append without an answer may be missing: a server would write them again.
  if (lists === undefined || conversations.undecidedOf(index).size > 0) return [];
  const members = [conversations.member(index, 0), conversations.member(index, 1)];
  return Promise.all(
    members.map(async (member) => {
      const row = await lists.one(member, conversations.idOf(index));
      return { member, lastSeq: row?.lastSeq ?? 0 };
    }),
  );
}
