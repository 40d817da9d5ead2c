import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { formatUuid, parseUuid, type Uuid } from "../../protocol/ids.ts";
import { syncFolder } from "../accounts/account-file.ts";
import path from "node:path";

/**
 * In which order this device got its messages: what a cursor of `chat tail` counts. Seqs order a conversation; a script that
 * goes on where it stopped needs one order over all of them, and only the device that received them has one.
 *
 * File: a header of 24 bytes (magic, epoch), then records of 24 bytes: conversation id, seq (6 bytes, LE), flag, 0. Appended
 * and synced before a cursor is shown, after the journal has the rows; a torn record at the end is cut off. About 5 % of
 * the size of the journal beside it. Only the process that holds the journal's lock opens it.
 */
const magic = "msgr-arrivals 1\n";
const headerBytes = 24;
const recordBytes = 24;

/** known: another device of the account had it before this one was set up, or it was asked for as history. */
export type ArrivalFlag = "new" | "known";

export interface Arrival {
  readonly conversationId: Uuid;
  readonly seq: number;
  readonly flag: ArrivalFlag;
}

export class Arrivals {
  readonly #file: FileHandle;
  /** Names this file: a cursor of another device or of a deleted folder is told apart. */
  readonly #epoch: string;
  readonly #entries: Arrival[];
  readonly #seen = new Map<Uuid, Set<number>>();

  constructor(file: FileHandle, epoch: string, entries: Arrival[]) {
    this.#file = file;
    this.#epoch = epoch;
    this.#entries = entries;
    for (const entry of entries) this.#mark(entry);
  }

  static async open(name: string): Promise<Arrivals> {
    const file = await open(name, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      let content = await file.readFile();
      if (content.length < headerBytes || content.toString("latin1", 0, magic.length) !== magic) {
        content = Buffer.concat([Buffer.from(magic), randomBytes(headerBytes - magic.length)]);
        await file.truncate(0);
        await file.write(content, 0, content.length, 0);
      } else await file.truncate(wholeLength(content.length));
      await file.datasync();
      await syncFolder(path.dirname(name));
      return new Arrivals(file, content.toString("hex", magic.length, headerBytes), decode(content));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get count(): number {
    return this.#entries.length;
  }

  has(conversationId: Uuid, seq: number): boolean {
    return this.#seen.get(conversationId)?.has(seq) === true;
  }

  /** What came after the first `from` arrivals, with the cursor that stands behind each. */
  *since(from: number): Generator<Arrival & { readonly cursor: string }> {
    for (let index = from; index < this.#entries.length; index++) {
      yield { ...(this.#entries[index] as Arrival), cursor: this.#cursor(index + 1) };
    }
  }

  /** Appends and syncs those that are not there yet; answers them with their cursors. One call at a time. */
  async append(arrivals: readonly Arrival[]): Promise<readonly (Arrival & { readonly cursor: string })[]> {
    const from = this.#entries.length;
    for (const arrival of arrivals) {
      if (this.has(arrival.conversationId, arrival.seq)) continue;
      this.#entries.push(arrival);
      this.#mark(arrival);
    }
    const added = [...this.since(from)];
    if (added.length === 0) return added;
    const bytes = Buffer.alloc(added.length * recordBytes);
    for (const [index, arrival] of added.entries()) encode(arrival, bytes, index * recordBytes);
    await this.#file.write(bytes, 0, bytes.length, headerBytes + from * recordBytes);
    await this.#file.datasync();
    return added;
  }

  /** How many arrivals stand before a cursor; undefined for one that was not made here. */
  position(cursor: string): number | undefined {
    const [, epoch, digits] = /^([0-9a-f]{16})\.(\d{1,15})$/.exec(cursor) ?? [];
    if (epoch !== this.#epoch) return undefined;
    const position = Number(digits);
    return position <= this.#entries.length ? position : undefined;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #cursor(position: number): string {
    return `${this.#epoch}.${position}`;
  }

  #mark({ conversationId, seq }: Arrival): void {
    const seen = this.#seen.get(conversationId);
    if (seen === undefined) this.#seen.set(conversationId, new Set([seq]));
    else seen.add(seq);
  }
}

function wholeLength(length: number): number {
  return length - ((length - headerBytes) % recordBytes);
}

function encode({ conversationId, seq, flag }: Arrival, target: Buffer, offset: number): void {
  parseUuid(conversationId, target, offset);
  target.writeUIntLE(seq, offset + 16, 6);
  target[offset + 22] = flag === "known" ? 1 : 0;
}

function decode(content: Buffer): Arrival[] {
  const entries: Arrival[] = [];
  for (let offset = headerBytes; offset + recordBytes <= content.length; offset += recordBytes) {
    entries.push({
      conversationId: formatUuid(content, offset),
      seq: content.readUIntLE(offset + 16, 6),
      flag: content[offset + 22] === 1 ? "known" : "new",
    });
  }
  return entries;
}
