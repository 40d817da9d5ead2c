import path from "node:path";
import { systemClock } from "../../base/clock.ts";
import { createDeferred } from "../../base/deferred.ts";
import { closeCodes } from "../../protocol/close-codes.ts";
import { isVoid, type MessageRow, type PageRow } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { createClient, type Client } from "../../client/runtime/client.ts";
import type { HostEvent } from "../../client/runtime/device-host.ts";
import { openJournalStorage } from "../../client/storage/journal.ts";
import { StorageError, type ClientStorage } from "../../client/storage/types.ts";
import { safeLine } from "../../base/safe-text.ts";
import { createRenewal, sessionOf } from "../accounts/shared-session.ts";
import { CliError } from "../cli-error.ts";
import { Arrivals, type Arrival, type ArrivalFlag } from "./arrivals.ts";
import type { ChatAccount } from "./open-chat.ts";

/** A message that this device got, and the cursor that stands behind it. */
export interface ArrivedMessage {
  readonly conversationId: Uuid;
  readonly row: MessageRow;
  readonly flag: ArrivalFlag;
  readonly cursor: string;
}

/**
 * The one process that acts as this device: it holds the journal's lock and the device's connection. `chat` and `tail` are
 * made of it; whatever else runs beside them goes over HTTP.
 *
 * Actors: the client (rows as they come), the journal (makes them durable), the arrivals (gives them their order), one
 * listener. A row is shown only after the journal and the arrivals have it: what was shown is never shown as new again.
 *
 *   opened → connected ⇄ waiting → ended (closed here, or `ended` says why it could not go on)
 */
export class DeviceSession {
  readonly client: Client;
  readonly #storage: ClientStorage;
  readonly #arrivals: Arrivals;
  /** Nothing was held when this session began: what other devices of the account had before is no news. */
  readonly #isFirst: boolean;
  readonly #ended = createDeferred<never>();
  #synced = false;
  #work: Promise<void> = Promise.resolve();
  #listener: (message: ArrivedMessage) => Promise<void> = () => Promise.resolve();

  constructor(client: Client, storage: ClientStorage, arrivals: Arrivals) {
    this.client = client;
    this.#storage = storage;
    this.#arrivals = arrivals;
    this.#isFirst = storage.load().conversations.length === 0;
    client.onEvent((event) => this.#hear(event));
    // Whoever does not wait for it must not be ended by it.
    this.#ended.promise.catch(() => undefined);
  }

  /** Throws CliError: `locked` when another process is this device. */
  static async open(account: ChatAccount, clientVersion: string): Promise<DeviceSession> {
    const { store, choice, folder } = account;
    const session = sessionOf(choice.account);
    const storage = await openJournalStorage({ folder: path.join(folder, "journal") }).catch((error: unknown) =>
      Promise.reject(explainStorage(error, account)),
    );
    try {
      const arrivals = await Arrivals.open(path.join(folder, "arrivals"));
      const client = createClient({
        url: choice.account.server,
        session,
        renewSession: createRenewal(store, choice),
        storage,
        config: { clientName: "msgr chat", clientVersion },
      });
      return new DeviceSession(client, storage, arrivals);
    } catch (error) {
      await storage.close();
      throw error;
    }
  }

  /** Rejects, and never resolves, when this session cannot go on: replaced, logged out, disk full. */
  get ended(): Promise<never> {
    return this.#ended.promise;
  }

  /**
   * From now on `listener` gets every message once, one at a time: first what arrived after `since` (a position of
   * `position`, or everything that no listener was told yet), then what comes.
   */
  listen(since: number | undefined, listener: (message: ArrivedMessage) => Promise<void>): void {
    const from = since ?? this.#arrivals.count;
    this.#listener = listener;
    this.#enqueue(() => this.#catchUp(from));
  }

  /** The position behind which `cursor` stands; `start` = before everything. Throws CliError for a cursor from elsewhere. */
  position(cursor: string): number {
    const position = cursor === "start" ? 0 : this.#arrivals.position(cursor);
    if (position !== undefined) return position;
    throw new CliError("usage", `${safeLine(cursor)} is no cursor of this device.`, {
      fix: "Use the `cursor` of a line that `msgr chat tail --json` printed here, or `start`.",
    });
  }

  /** Resolves when the server's state was taken over once; false when that took longer. */
  async synced(timeoutMs: number): Promise<boolean> {
    if (this.#synced) return true;
    return this.client.synced(timeoutMs).then(
      () => true,
      () => false,
    );
  }

  /** When everything that has come so far was told. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Waits up to `drainMs` for unsent messages, then disconnects and lets go of the files. */
  async close(drainMs: number): Promise<void> {
    await this.client.close(drainMs);
    await this.#work.catch(() => undefined);
    await this.#arrivals.close();
  }

  #hear(event: HostEvent): void {
    switch (event.type) {
      case "rows":
        this.#take(event.conversationId, event.rows, event.placement === "history");
        break;
      case "synced":
        this.#synced = true;
        break;
      case "session_ended":
        this.#ended.reject(event.error);
        break;
      case "storage_failed":
        this.#ended.reject(event.error);
        break;
      case "connection":
        if (event.state === "stopped" && event.code !== undefined) this.#stopped(event.code);
        break;
      default:
    }
  }

  #stopped(code: number): void {
    // The host exchanges the tokens and goes on, or says that the session has ended.
    if (code === closeCodes.unauthenticated.code) return;
    const known = Object.values(closeCodes).find((entry) => entry.code === code);
    const exit = code === closeCodes.replaced.code ? "locked" : "failed";
    this.#ended.reject(
      new CliError(exit, known?.reason ?? `The server closed with ${code}.`, { fix: known?.fix ?? "" }),
    );
  }

  #take(conversationId: Uuid, rows: readonly PageRow[], isHistory: boolean): void {
    const recvSeq = this.client.conversation(conversationId)?.registers.recv_seq ?? 0;
    const isPast = this.#isFirst && !this.#synced;
    const isOwn = (row: PageRow): boolean => !isVoid(row) && row.sender.user === this.client.userId;
    const isKnown = (row: PageRow): boolean => isHistory || (isPast && (row.seq <= recvSeq || isOwn(row)));
    const arrivals = rows
      .filter((row) => !isVoid(row))
      .map((row) => ({ conversationId, seq: row.seq, flag: isKnown(row) ? ("known" as const) : ("new" as const) }));
    if (arrivals.length === 0) return;
    this.#enqueue(() => this.#record(arrivals));
  }

  #enqueue(step: () => Promise<void>): void {
    this.#work = this.#work.then(step);
    this.#work.catch((error: unknown) => this.#ended.reject(error));
  }

  async #catchUp(from: number): Promise<void> {
    await this.#arrivals.append(this.#untold());
    for (const arrival of this.#arrivals.since(from)) await this.#tell(arrival);
  }

  async #record(arrivals: readonly Arrival[]): Promise<void> {
    await this.#storage.flush();
    for (const arrival of await this.#arrivals.append(arrivals)) {
      if (arrival.flag === "new") await this.#tell(arrival);
    }
  }

  async #tell({ conversationId, seq, flag, cursor }: Arrival & { readonly cursor: string }): Promise<void> {
    const row = this.#storage.rows(conversationId, 1, seq + 1)[0];
    if (row === undefined || row.seq !== seq || isVoid(row)) return;
    await this.#listener({ conversationId, row, flag, cursor });
  }

  /** Rows that a process which died had stored but not recorded. */
  #untold(): readonly Arrival[] {
    return this.#storage.load().conversations.flatMap(({ conversationId }) =>
      this.#storage
        .rows(conversationId, Number.MAX_SAFE_INTEGER)
        .filter((row) => !isVoid(row) && !this.#arrivals.has(conversationId, row.seq))
        .map(({ seq }) => ({ conversationId, seq, flag: "new" as const })),
    );
  }
}

function explainStorage(error: unknown, { choice, folder }: ChatAccount): unknown {
  if (!(error instanceof StorageError)) return error;
  const { name, account } = choice;
  if (error.code === "locked") {
    const owner = /process \d+/.exec(error.message)?.[0] ?? "another process";
    return new CliError("locked", `@${account.handle} is connected from here already: a chat or tail in ${owner}.`, {
      fix: `Use that one (send, history and chats work beside it), or make a second device: \`msgr login ${account.handle} --as ${safeLine(name)}-2\`.`,
      cause: error,
    });
  }
  if (error.code === "corrupt") {
    const fix = `Move ${path.join(folder, "journal")} away: messages come again from the server, unsent ones are in it.`;
    return new CliError("failed", error.message, { fix, cause: error });
  }
  return error;
}

/** Wall time, ms, of this process. */
export function nowMs(): number {
  return systemClock.nowMs();
}
