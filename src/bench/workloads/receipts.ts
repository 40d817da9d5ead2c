import { isVoid } from "../../protocol/fields.ts";
import { mixBelow, seedFor } from "../data/mix.ts";
import type { LedgerRecorder } from "../ledger/recorder.ts";
import type { Operation } from "../worker/operation.ts";
import { pickSlot, type WorkloadContext, type WorkloadRunner } from "./workload.ts";

/**
 * receipts: a user looks at one conversation with something unread in it; ends when the server's register says read. The
 * client waits a moment before it sends a receipt, so that a burst is one (20 ms); that is part of the response.
 */
interface Reading {
  readonly operation: Operation;
  readonly seq: number;
}

export function createReceipts(context: WorkloadContext, recorder: LedgerRecorder): WorkloadRunner {
  const { fleet, population, directory, slots } = context;
  const seed = seedFor(context.seed, "conversations to read");
  /** By slot and conversation: the newest row of somebody else, and what is being read. */
  const foreign = new Map<number, number>();
  const readings = new Map<number, Reading>();
  const keyOf = (slot: number, conversation: number): number => slot * population.conversationCount + conversation;

  const unreadUpTo = (slot: number, conversation: number): number => {
    const view = fleet.machine(slot).conversation(directory.conversationId(conversation));
    if (view === undefined || readings.has(keyOf(slot, conversation))) return 0;
    const newest = foreign.get(keyOf(slot, conversation)) ?? 0;
    return newest > view.registers.read_seq && newest <= view.filled ? view.filled : 0;
  };

  return {
    begin(operation) {
      const { user, n } = operation;
      const slot = pickSlot(context, operation, (candidate) => fleet.isReady(candidate));
      const conversations = context.conversationsOf(user);
      if (slot < 0 || conversations.length === 0) return false;
      const start = mixBelow(seed, user, n, conversations.length);
      for (let step = 0; step < conversations.length; step++) {
        const conversation = conversations[(start + step) % conversations.length] as number;
        const seq = unreadUpTo(slot, conversation);
        if (seq === 0) continue;
        readings.set(keyOf(slot, conversation), { operation, seq });
        recorder.viewed(slots.deviceOf(slot), conversation, seq);
        fleet.markRead(slot, directory.conversationId(conversation), seq);
        return true;
      }
      return false;
    },
    rows(slot, conversation, rows) {
      const last = rows.findLast((row) => !isVoid(row));
      if (last === undefined || isVoid(last)) return;
      const key = keyOf(slot, conversation);
      if (last.sender.user !== directory.userId(slots.userOf(slot)) && last.seq > (foreign.get(key) ?? 0)) {
        foreign.set(key, last.seq);
      }
    },
    registers(slot, conversation) {
      const key = keyOf(slot, conversation);
      const reading = readings.get(key);
      if (reading === undefined) return;
      const view = fleet.machine(slot).conversation(directory.conversationId(conversation));
      if (view === undefined || view.registers.read_seq < reading.seq) return;
      readings.delete(key);
      reading.operation.end();
    },
  };
}
