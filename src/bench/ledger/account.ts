import { checkAckedInLog } from "./check-acked-in-log.ts";
import { checkConvergence, type DeviceRows } from "./check-convergence.ts";
import { checkDelivered, type DeliveredStream } from "./check-delivered.ts";
import { checkDistinct } from "./check-distinct.ts";
import { checkOrder } from "./check-order.ts";
import { checkUnread, type UnreadReport } from "./check-unread.ts";
import { FaultList, type FaultReport } from "./faults.ts";
import { Grouping } from "./grouping.ts";
import { owedSeqOf } from "./owed-seq.ts";
import type { LedgerObservations } from "./recorder.ts";
import { emptyHash } from "./row-hash.ts";
import { sentMessageAt } from "./send-log.ts";
import type { LogRow, SentMessage } from "./types.ts";

/**
 * Closes the account of a run: what the devices of all workers sent and saw against what the log holds. One conversation
 * at a time, so that only one conversation's rows are objects at any moment; the scan may be produced on the fly.
 */
export interface ConversationScan {
  readonly conversation: number;
  /** The whole log, from seq 1, in any order. */
  readonly rows: readonly LogRow[];
  /** What members' lists say; may be a sample. */
  readonly lists?: readonly { readonly member: number; readonly lastSeq: number }[];
  readonly unread?: readonly UnreadReport[];
}

export interface AccountOptions {
  readonly conversationCount: number;
  readonly devicesPerUser: number;
  /** Every device that should hold a conversation from seq 1 on. */
  readonly devicesOf: (conversation: number) => readonly number[];
}

export interface LedgerVerdict {
  readonly ok: boolean;
  readonly sent: number;
  readonly acked: number;
  readonly refused: number;
  readonly undecided: number;
  /** Of the undecided, those that the log holds after all. */
  readonly undecidedInLog: number;
  readonly logRows: number;
  /** (message, device of another user) pairs. */
  readonly delivered: number;
  /** (message, other user) pairs; within the scanned conversations. */
  readonly read: number;
  readonly conversationsScanned: number;
  /** Conversations with messages of this run whose log was not scanned. */
  readonly conversationsUnscanned: number;
  /** Devices left out because a workload had sent them away, or their server had died. */
  readonly devicesAbsent: number;
  /** Scenarios on the stores: answers about users who had to be online. */
  readonly presenceChecked?: number;
  readonly faults: FaultReport;
}

interface Worker {
  readonly data: LedgerObservations;
  readonly sends: Grouping;
  readonly devices: Grouping;
  readonly streams: Grouping;
  readonly missing: ReadonlyMap<number, readonly (readonly [number, number])[]>;
}

interface DeviceRow {
  readonly worker: Worker;
  readonly row: number;
}

export function closeAccount(
  observations: readonly LedgerObservations[],
  scans: Iterable<ConversationScan>,
  options: AccountOptions,
): LedgerVerdict {
  const account = new Account(observations, options);
  for (const scan of scans) account.close(scan);
  return account.verdict();
}

export class Account {
  readonly #options: AccountOptions;
  readonly #workers: readonly Worker[];
  readonly #absent: ReadonlySet<number>;
  readonly #found = new FaultList();
  readonly #scanned = new Set<number>();
  #undecidedInLog = 0;
  #logRows = 0;
  #read = 0;

  constructor(observations: readonly LedgerObservations[], options: AccountOptions) {
    this.#options = options;
    this.#workers = observations.map((data) => ({
      data,
      sends: new Grouping(data.sends.conversation, options.conversationCount),
      devices: new Grouping(data.devices.conversation, options.conversationCount),
      streams: new Grouping(data.streams.deviceRow, data.devices.device.length),
      missing: missingByStream(data.streams.missing),
    }));
    this.#absent = new Set(observations.flatMap((data) => [...data.absent]));
    for (const data of observations) this.#found.merge(data.faults);
  }

  /** Each conversation once. */
  close(scan: ConversationScan): void {
    const { conversation, rows } = scan;
    if (this.#scanned.has(conversation)) return;
    this.#scanned.add(conversation);
    this.#logRows += rows.length;
    const sent = this.#sentIn(conversation);
    this.#undecidedInLog += checkAckedInLog({ conversation, sent, log: rows, lists: scan.lists ?? [] }, this.#found);
    checkDistinct(conversation, rows, sent, this.#found);
    checkOrder({ conversation, log: rows, sent }, this.#found);
    checkUnread(conversation, rows, scan.unread ?? [], this.#found);
    this.#closeDevices(conversation, rows, owedSeqOf(rows, sent));
  }

  /** Faults that the log does not show. */
  add(report: FaultReport): void {
    this.#found.merge(report);
  }

  verdict(): LedgerVerdict {
    const totals = { sent: 0, acked: 0, refused: 0 };
    const unscanned = new Set<number>();
    let delivered = 0;
    for (const { data } of this.#workers) {
      totals.sent += data.sends.n.length;
      for (const outcome of data.sends.outcome) {
        if (outcome === 1) totals.acked++;
        else if (outcome === 2) totals.refused++;
      }
      for (const conversation of data.sends.conversation)
        if (!this.#scanned.has(conversation)) unscanned.add(conversation);
      delivered += this.#deliveredBy(data);
    }
    return {
      ok: this.#found.total() === 0,
      ...totals,
      undecided: totals.sent - totals.acked - totals.refused,
      undecidedInLog: this.#undecidedInLog,
      logRows: this.#logRows,
      delivered,
      read: this.#read,
      conversationsScanned: this.#scanned.size,
      conversationsUnscanned: unscanned.size,
      devicesAbsent: this.#absent.size,
      faults: this.#found.report(),
    };
  }

  #sentIn(conversation: number): SentMessage[] {
    return this.#workers.flatMap(({ data, sends }) =>
      [...sends.of(conversation)].map((index) => sentMessageAt(data.sends, index)),
    );
  }

  #closeDevices(conversation: number, rows: readonly LogRow[], owedSeq: number): void {
    const bySender = Map.groupBy(
      rows.filter((row) => row.n > 0),
      (row) => Number(row.sender),
    );
    const seen = this.#rowsOf(conversation);
    const whole: DeviceRows[] = [];
    for (const device of this.#options.devicesOf(conversation)) {
      if (this.#absent.has(device)) continue;
      const at = seen.get(device);
      const start = at?.worker.data.devices.start[at.row] ?? 1;
      const streams = at === undefined ? new Map<number, DeliveredStream>() : this.#streamsOf(at, device, start);
      let sound = true;
      for (const sender of new Set([...bySender.keys(), ...streams.keys()])) {
        const stream = streams.get(sender) ?? { device, sender, start, received: 0, lastN: 0, missing: [] };
        sound = checkDelivered(conversation, bySender.get(sender) ?? [], stream, this.#found, owedSeq) && sound;
      }
      // What is already known to be missing or too much need not be reported again as a difference.
      if (sound) whole.push({ device, start, hash: hashOf(at) });
    }
    checkConvergence(conversation, rows, whole, this.#found, owedSeq);
    this.#read += readIn(rows, this.#viewedByUser(seen));
  }

  #rowsOf(conversation: number): Map<number, DeviceRow> {
    const rows = new Map<number, DeviceRow>();
    for (const worker of this.#workers) {
      for (const row of worker.devices.of(conversation))
        rows.set(worker.data.devices.device[row] as number, { worker, row });
    }
    return rows;
  }

  #streamsOf({ worker, row }: DeviceRow, device: number, start: number): Map<number, DeliveredStream> {
    const { streams } = worker.data;
    const found = new Map<number, DeliveredStream>();
    for (const stream of worker.streams.of(row)) {
      const sender = streams.sender[stream] as number;
      found.set(sender, {
        device,
        sender,
        start,
        received: streams.received[stream] as number,
        lastN: streams.lastN[stream] as number,
        missing: worker.missing.get(stream) ?? [],
      });
    }
    return found;
  }

  #viewedByUser(rows: ReadonlyMap<number, DeviceRow>): Map<number, number> {
    const viewed = new Map<number, number>();
    for (const [device, { worker, row }] of rows) {
      const user = Math.floor(device / this.#options.devicesPerUser);
      viewed.set(user, Math.max(viewed.get(user) ?? 0, worker.data.devices.viewedSeq[row] as number));
    }
    return viewed;
  }

  #deliveredBy(data: LedgerObservations): number {
    const { devicesPerUser } = this.#options;
    let delivered = 0;
    data.streams.received.forEach((received, stream) => {
      const device = data.devices.device[data.streams.deviceRow[stream] as number] as number;
      const sender = data.streams.sender[stream] as number;
      if (Math.floor(device / devicesPerUser) !== Math.floor(sender / devicesPerUser)) delivered += received;
    });
    return delivered;
  }
}

function hashOf(at: DeviceRow | undefined): { high: number; low: number } {
  if (at === undefined) return emptyHash;
  const { hashHigh, hashLow } = at.worker.data.devices;
  return { high: hashHigh[at.row] as number, low: hashLow[at.row] as number };
}

/** Rows of this run that somebody else has seen, counted once per user. */
function readIn(rows: readonly LogRow[], viewed: ReadonlyMap<number, number>): number {
  let read = 0;
  for (const [user, seq] of viewed)
    for (const row of rows) if (row.n > 0 && row.seq <= seq && row.user !== user) read++;
  return read;
}

function missingByStream(flat: Float64Array): Map<number, [number, number][]> {
  const missing = new Map<number, [number, number][]>();
  for (let at = 0; at < flat.length; at += 3) {
    const [stream, from, to] = [flat[at] as number, flat[at + 1] as number, flat[at + 2] as number];
    const runs = missing.get(stream);
    if (runs === undefined) missing.set(stream, [[from, to]]);
    else runs.push([from, to]);
  }
  return missing;
}
