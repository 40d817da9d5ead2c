import { checkStatus, type RecipientTruth, type Watermarks } from "./check-status.ts";
import { float64Column, RowIndex, uint32Column } from "./columns.ts";
import { FaultList, type FaultReport } from "./faults.ts";
import { MissingRuns } from "./missing-runs.ts";
import { addRow } from "./row-hash.ts";
import { SendLog, type SerialisedSends } from "./send-log.ts";

/**
 * What the devices of one worker sent and saw. Actors: the worker tells it each event as it happens; the driver collects
 * the observations of all workers after the drain and closes the account (account.ts). Devices, users and conversations
 * are the numbers of data/population.ts; ids are message keys. What can be judged at once (a message twice, out of order,
 * a status that cannot be true) is judged here, the rest needs the log. Memory: 41 bytes a message sent, about 60 a device
 * and conversation, about 40 a device, conversation and sender; nothing grows with the messages received.
 */
export interface RecorderOptions {
  readonly deviceCount: number;
  readonly devicesPerUser: number;
  readonly conversationCount: number;
  /** Whether this worker drives a user, so that silence of its devices means something. */
  readonly ownsUser: (user: number) => boolean;
  /** Bound on messages sent, on (device, conversation) and on (device, conversation, sender) each. */
  readonly rowsMax?: number;
}

export interface ReceivedRow {
  readonly device: number;
  readonly conversation: number;
  readonly seq: number;
  readonly id: number;
  /** Sending device; ignored when `n` is 0. */
  readonly sender: number;
  /** 0: a row that nobody of this run sent. */
  readonly n: number;
  /** The device appends it; false when it fills a hole below newer rows. */
  readonly live: boolean;
}

export interface LedgerObservations {
  readonly sends: SerialisedSends;
  /** One row per (device, conversation). */
  readonly devices: {
    readonly device: Uint32Array;
    readonly conversation: Uint32Array;
    readonly start: Uint32Array;
    readonly viewedSeq: Uint32Array;
    readonly hashHigh: Uint32Array;
    readonly hashLow: Uint32Array;
  };
  /** One row per sender seen by such a row; `missing` holds stream, from, to repeatedly. */
  readonly streams: {
    readonly deviceRow: Uint32Array;
    readonly sender: Uint32Array;
    readonly lastN: Uint32Array;
    readonly received: Uint32Array;
    readonly missing: Float64Array;
  };
  /** Devices that were sent away at the end, or whose server had died; what they miss is not lost. */
  readonly absent: Uint32Array;
  readonly faults: FaultReport;
}

const rowsMaxDefault = 20_000_000;

export class LedgerRecorder {
  readonly faults = new FaultList();
  readonly #options: RecorderOptions;
  readonly #sends: SendLog;
  /** By conversation. */
  readonly #ackedSeq = uint32Column();
  readonly #absent = new Set<number>();

  readonly #devices: RowIndex;
  readonly #device = uint32Column();
  readonly #conversation = uint32Column();
  readonly #start = uint32Column();
  /** Of the rows received since the start, 0 = none. */
  readonly #firstSeq = uint32Column();
  readonly #lastSeq = uint32Column();
  readonly #viewedSeq = uint32Column();
  readonly #nextN = uint32Column();
  readonly #pending = uint32Column();
  readonly #hashHigh = uint32Column();
  readonly #hashLow = uint32Column();
  /** Raised by `restarted`; a stream of an older epoch has counted rows that no longer matter. */
  readonly #epoch = uint32Column();

  readonly #streams: RowIndex;
  readonly #deviceRow = uint32Column();
  readonly #sender = uint32Column();
  readonly #lastN = uint32Column();
  readonly #lastNSeq = uint32Column();
  readonly #received = uint32Column();
  readonly #streamEpoch = uint32Column();
  readonly #missing = new MissingRuns();

  readonly #watermarks: RowIndex;
  readonly #recvSeq = float64Column();
  readonly #readSeq = float64Column();

  constructor(options: RecorderOptions) {
    const rowsMax = options.rowsMax ?? rowsMaxDefault;
    this.#options = options;
    this.#sends = new SendLog(rowsMax);
    this.#devices = new RowIndex(rowsMax);
    this.#streams = new RowIndex(rowsMax);
    this.#watermarks = new RowIndex(rowsMax);
  }

  /** Running totals, for progress lines: sent, acked, refused, and messages received from other users. */
  readonly counts = { sent: 0, acked: 0, refused: 0, delivered: 0 };

  /** Number that the next message of (device, conversation) will get. */
  nextN(device: number, conversation: number): number {
    return this.#nextN.get(this.#rowOf(device, conversation)) + 1;
  }

  /** A message is about to be sent; answers a handle for its outcome. `atMs`: any clock that all workers share. */
  sent(device: number, conversation: number, id: number, atMs: number): number {
    const row = this.#rowOf(device, conversation);
    this.#nextN.add(row, 1);
    this.#pending.add(row, 1);
    this.counts.sent++;
    return this.#sends.add({ row, device, conversation, n: this.#nextN.get(row), id, atMs });
  }

  acked(handle: number, seq: number, atMs: number): void {
    if (!this.#sends.settle(handle, "acked", seq, atMs)) return;
    const row = this.#sends.rowOf(handle);
    this.#pending.add(row, -1);
    this.counts.acked++;
    const conversation = this.#sends.conversationOf(handle);
    if (seq > this.#ackedSeq.get(conversation)) this.#ackedSeq.set(conversation, seq);
    if (seq > this.#viewedSeq.get(row)) this.#viewedSeq.set(row, seq);
    if (seq > this.#lastSeq.get(row)) this.#lastSeq.set(row, seq);
  }

  /** Highest seq that a sender of this worker had acked, 0 = none. */
  ackedSeq(conversation: number): number {
    return this.#ackedSeq.get(conversation);
  }

  /** Refused for good: the server said that it is not in the log. */
  refused(handle: number): void {
    if (!this.#sends.settle(handle, "refused", 0, 0)) return;
    this.#pending.add(this.#sends.rowOf(handle), -1);
    this.counts.refused++;
  }

  /** A device has stored a row; called before it confirms it to the server. Voids are not told. */
  received(message: ReceivedRow): void {
    const row = this.#rowOf(message.device, message.conversation);
    if (message.seq < this.#start.get(row)) return;
    const firstSeq = this.#firstSeq.get(row);
    if (firstSeq === 0 || message.seq < firstSeq) this.#firstSeq.set(row, message.seq);
    const lastSeq = this.#lastSeq.get(row);
    const fresh = message.n === 0 ? true : this.#receivedN(row, message);
    if (fresh) this.#addToHash(row, message);
    if (message.seq > lastSeq) this.#lastSeq.set(row, message.seq);
  }

  /**
   * The device gave up everything below `start` and begins there (it was told that it need not hold it). If it had rows
   * below, those from `start` on have to be told again.
   */
  restarted(device: number, conversation: number, start: number): void {
    const row = this.#rowOf(device, conversation);
    if (start <= this.#start.get(row)) return;
    this.#start.set(row, start);
    // Mostly a device that had only newer rows so far: what it has still counts.
    if (this.#firstSeq.get(row) === 0 || this.#firstSeq.get(row) >= start) return;
    this.#firstSeq.set(row, 0);
    this.#hashHigh.set(row, 0);
    this.#hashLow.set(row, 0);
    this.#epoch.add(row, 1);
  }

  /** The user sees everything up to `seq` on this device; called before the server is told. */
  viewed(device: number, conversation: number, seq: number): void {
    const row = this.#rowOf(device, conversation);
    if (seq > this.#viewedSeq.get(row)) this.#viewedSeq.set(row, seq);
  }

  /** What `observer` has been told of `member`. */
  toldOf(observer: number, conversation: number, member: number): Watermarks {
    const row = this.#watermarks.find(this.#rowOf(observer, conversation) * this.#options.deviceCount + member);
    return row < 0 ? { recvSeq: 0, readSeq: 0 } : { recvSeq: this.#recvSeq.get(row), readSeq: this.#readSeq.get(row) };
  }

  /** `observer` shows that `member` has received and read so far. */
  watermarks(observer: number, conversation: number, member: number, recvSeq: number, readSeq: number): void {
    const { deviceCount } = this.#options;
    const key = this.#rowOf(observer, conversation) * deviceCount + member;
    const row = this.#watermarks.findOrAdd(key);
    const before = { recvSeq: this.#recvSeq.get(row), readSeq: this.#readSeq.get(row) };
    const truth = this.#options.ownsUser(member) ? this.#truthOf(member, conversation) : undefined;
    const fault = checkStatus(before, { recvSeq, readSeq }, truth);
    this.#recvSeq.set(row, Math.max(before.recvSeq, recvSeq));
    this.#readSeq.set(row, Math.max(before.readSeq, readSeq));
    if (fault === undefined) return;
    const known = truth === undefined ? "" : `; stored ${truth.storedSeq}, seen ${truth.viewedSeq}`;
    this.faults.add(
      fault,
      () =>
        `device ${observer} is told recv ${recvSeq}, read ${readSeq} of user ${member} in conversation ${conversation} ` +
        `after recv ${before.recvSeq}, read ${before.readSeq}${known}`,
    );
  }

  /** What the device misses at the end of the run is excused. */
  absent(device: number): void {
    this.#absent.add(device);
  }

  /** Everything, as values that structured cloning understands. */
  observations(): LedgerObservations {
    if (this.#missing.overflowed) this.faults.add("unclassified", () => `more than ${this.#missing.runsMax} holes`);
    for (let stream = 0; stream < this.#streams.size; stream++) this.#renew(stream, this.#deviceRow.get(stream));
    const rows = this.#devices.size;
    const streams = this.#streams.size;
    return {
      sends: this.#sends.serialise(),
      devices: {
        device: this.#device.take(rows),
        conversation: this.#conversation.take(rows),
        start: this.#start.take(rows),
        viewedSeq: this.#viewedSeq.take(rows),
        hashHigh: this.#hashHigh.take(rows),
        hashLow: this.#hashLow.take(rows),
      },
      streams: {
        deviceRow: this.#deviceRow.take(streams),
        sender: this.#sender.take(streams),
        lastN: this.#lastN.take(streams),
        received: this.#received.take(streams),
        missing: this.#missing.serialise(),
      },
      absent: Uint32Array.from(this.#absent),
      faults: this.faults.report(),
    };
  }

  #rowOf(device: number, conversation: number): number {
    const before = this.#devices.size;
    const row = this.#devices.findOrAdd(device * this.#options.conversationCount + conversation);
    if (row === before) {
      this.#device.set(row, device);
      this.#conversation.set(row, conversation);
      this.#start.set(row, 1);
    }
    return row;
  }

  /** Whether the message is new to the device; judges its number. */
  #receivedN(row: number, message: ReceivedRow): boolean {
    const before = this.#streams.size;
    const stream = this.#streams.findOrAdd(row * this.#options.deviceCount + message.sender);
    if (stream === before) {
      this.#deviceRow.set(stream, row);
      this.#sender.set(stream, message.sender);
      this.#streamEpoch.set(stream, this.#epoch.get(row));
    }
    this.#renew(stream, row);
    const { n, seq } = message;
    const lastN = this.#lastN.get(stream);
    const lastSeq = this.#lastNSeq.get(stream);
    if (n > lastN) {
      if (lastN > 0 && seq < lastSeq) this.#fault("reordered", message, lastN, lastSeq);
      if (n > lastN + 1) this.#missing.open(stream, lastN + 1, n - 1);
      this.#lastN.set(stream, n);
      this.#lastNSeq.set(stream, Math.max(seq, lastSeq));
    } else if (this.#missing.fill(stream, n)) {
      if (message.live || seq > lastSeq) this.#fault("reordered", message, lastN, lastSeq);
    } else {
      // With holes that could not be kept, a late message looks like a repeated one.
      this.#fault(this.#missing.overflowed ? "unclassified" : "duplicated", message, lastN, lastSeq);
      return false;
    }
    this.#received.add(stream, 1);
    const { devicesPerUser } = this.#options;
    if (Math.floor(message.device / devicesPerUser) !== Math.floor(message.sender / devicesPerUser))
      this.counts.delivered++;
    return true;
  }

  #renew(stream: number, row: number): void {
    if (this.#streamEpoch.get(stream) === this.#epoch.get(row)) return;
    this.#streamEpoch.set(stream, this.#epoch.get(row));
    this.#received.set(stream, 0);
    this.#missing.forget(stream);
  }

  #addToHash(row: number, message: ReceivedRow): void {
    const hash = addRow({ high: this.#hashHigh.get(row), low: this.#hashLow.get(row) }, message.seq, message.id);
    this.#hashHigh.set(row, hash.high);
    this.#hashLow.set(row, hash.low);
  }

  #truthOf(member: number, conversation: number): RecipientTruth {
    const { devicesPerUser, conversationCount } = this.#options;
    const truth = { storedSeq: 0, viewedSeq: 0, pending: 0 };
    for (let device = member * devicesPerUser; device < (member + 1) * devicesPerUser; device++) {
      const row = this.#devices.find(device * conversationCount + conversation);
      if (row < 0) continue;
      truth.storedSeq = Math.max(truth.storedSeq, this.#lastSeq.get(row));
      truth.viewedSeq = Math.max(truth.viewedSeq, this.#viewedSeq.get(row));
      truth.pending += this.#pending.get(row);
    }
    return truth;
  }

  #fault(
    fault: "reordered" | "duplicated" | "unclassified",
    message: ReceivedRow,
    lastN: number,
    lastSeq: number,
  ): void {
    this.faults.add(
      fault,
      () =>
        `device ${message.device}, conversation ${message.conversation}, sender ${message.sender}: ` +
        `n ${message.n} (seq ${message.seq}, message ${message.id}) after n ${lastN} (seq ${lastSeq})`,
    );
  }
}
