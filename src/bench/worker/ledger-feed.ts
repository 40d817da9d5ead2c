import { isVoid, type PageRow, type Registers } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { kinds } from "../../protocol/kinds.ts";
import type { Placement } from "../../client/machine/types.ts";
import type { Directory } from "../data/directory.ts";
import { parsePayloadHeader, type PayloadHeader } from "../data/payload.ts";
import type { Population } from "../data/population.ts";
import { messageKey } from "../ledger/message-key.ts";
import type { LedgerRecorder } from "../ledger/recorder.ts";
import type { Slots } from "./slots.ts";

/** From what the machines tell to what the ledger and the delivery times are made of. */
export interface LedgerFeedParts {
  readonly run: number;
  readonly population: Population;
  readonly directory: Directory;
  readonly slots: Slots;
  readonly recorder: LedgerRecorder;
  readonly registersOf: (slot: number, conversationId: Uuid) => Registers | undefined;
  /** A message of this run has reached a device other than its sender's. */
  readonly delivered: (slot: number, messageId: Uuid, header: PayloadHeader) => void;
}

export class LedgerFeed {
  readonly #parts: LedgerFeedParts;

  constructor(parts: LedgerFeedParts) {
    this.#parts = parts;
  }

  rows(slot: number, conversationId: Uuid, placement: Placement, rows: readonly PageRow[]): void {
    const { run, directory, recorder, slots, delivered } = this.#parts;
    const conversation = directory.conversationNumber(conversationId);
    const device = slots.deviceOf(slot);
    if (conversation === undefined) {
      recorder.faults.add("invented", () => `device ${device} holds rows of ${conversationId}, which is not its own`);
      return;
    }
    const owner = directory.userId(slots.userOf(slot));
    const live = placement === "append" || placement === "jump";
    for (const row of rows) {
      if (isVoid(row)) continue;
      const header = row.kind === kinds.text ? parsePayloadHeader(row.envelope) : undefined;
      const known = header !== undefined && header.run === run;
      if (known) this.#checkPlace(device, conversation, row.seq, header);
      recorder.received({
        device,
        conversation,
        seq: row.seq,
        id: messageKey(row.message_id),
        sender: known ? header.sender : 0,
        n: known ? header.n : 0,
        live,
      });
      // The system row of an own deed (a group made) is news to others only.
      if (row.kind === kinds.system && row.sender.user === owner) recorder.viewed(device, conversation, row.seq);
      if (known && header.sender !== device) delivered(slot, row.message_id, header);
    }
  }

  restarted(slot: number, conversationId: Uuid, start: number): void {
    const { directory, recorder, slots } = this.#parts;
    const conversation = directory.conversationNumber(conversationId);
    if (conversation !== undefined) recorder.restarted(slots.deviceOf(slot), conversation, start);
  }

  watermarks(slot: number, conversationId: Uuid, userId: Uuid, recvSeq: number, readSeq: number): void {
    const { directory, recorder, slots, population, registersOf } = this.#parts;
    const conversation = directory.conversationNumber(conversationId);
    const member = directory.userNumber(userId);
    if (conversation === undefined || member === undefined) return;
    const device = slots.deviceOf(slot);
    // Pushes may overtake each other, so what counts is what the client shows after them: of a direct chat the machine's
    // registers, of a group the highest so far, as the chat keeps it.
    const view = population.isDirect(conversation) ? registersOf(slot, conversationId) : undefined;
    const told = recorder.toldOf(device, conversation, member);
    const shownRecv = view === undefined ? Math.max(told.recvSeq, recvSeq) : view.peer_recv_seq;
    const shownRead = view === undefined ? Math.max(told.readSeq, readSeq) : view.peer_read_seq;
    recorder.watermarks(device, conversation, member, shownRecv, shownRead);
  }

  /** A message must be where its sender put it. */
  #checkPlace(device: number, conversation: number, seq: number, header: PayloadHeader): void {
    if (header.conversation === conversation) return;
    this.#parts.recorder.faults.add(
      "invented",
      () =>
        `device ${device} holds n ${header.n} of sender ${header.sender} at seq ${seq} of conversation ${conversation}; ` +
        `it was sent to ${header.conversation}`,
    );
  }
}
