import type { Clock, Timer } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { ClientFrame } from "../../protocol/frames/client-frames.ts";
import { closeCodes } from "../../protocol/close-codes.ts";
import { encodeFrame, parseServerFrame } from "../../protocol/codec.ts";
import { backoffMs } from "../machine/backoff.ts";
import { DeviceMachine } from "../machine/machine.ts";
import type { Change, ClientEvent, Effects, MachineConfig, MachineIdentity } from "../machine/types.ts";
import type { ClientStorage, StorageError } from "../storage/types.ts";
import { ApiError } from "./http.ts";
import type { SessionKeeper } from "./session-keeper.ts";
import type { Socket, SocketFactory } from "./socket.ts";

/**
 * Carries out what the machine of one device asks for: a real socket, the clock's timer, the storage, and new tokens when
 * the server no longer takes the old ones.
 *
 * Actors: the machine (through Effects), the socket, the timer, the storage. A socket counts only while it is `#socket`:
 * what an abandoned one still says is not heard.
 */
export type HostEvent =
  | ClientEvent
  /** The server does not take this device's tokens any more and gives no new ones: log in again. */
  | { readonly type: "session_ended"; readonly error: ApiError }
  /** Nothing can be stored any more, so nothing is sent or received any more. */
  | { readonly type: "storage_failed"; readonly error: StorageError };

export interface DeviceHostParts {
  readonly url: string;
  readonly identity: MachineIdentity;
  readonly config: MachineConfig;
  readonly storage: ClientStorage;
  readonly session: SessionKeeper;
  readonly clock: Clock;
  readonly random: Random;
  readonly openSocket: SocketFactory;
  readonly onEvent: (event: HostEvent) => void;
}

export class DeviceHost implements Effects {
  readonly machine: DeviceMachine;
  readonly #parts: DeviceHostParts;
  #socket: Socket | undefined = undefined;
  /** Which attempt to connect is the current one; a token may arrive after it was given up. */
  #attempt = 0;
  #wake: Timer | undefined = undefined;
  #recovery: Timer | undefined = undefined;
  #recoveries = 0;
  #closed = false;

  constructor(parts: DeviceHostParts) {
    this.#parts = parts;
    const { storage, config, random, identity } = parts;
    this.machine = new DeviceMachine({ effects: this, random, config }, identity, storage.load());
    storage.onDurable((changes, failure) => {
      if (failure !== undefined) this.#storageFailed(failure);
      else if (!this.#closed) this.machine.durable(this.#now(), changes);
    });
  }

  close(): void {
    this.#closed = true;
    this.machine.stop(this.#now());
    this.#wake?.cancel();
    this.#recovery?.cancel();
  }

  send(_owner: number, frame: ClientFrame): void {
    this.#socket?.send(encodeFrame(frame));
  }

  persist(_owner: number, change: Change): boolean {
    return this.#parts.storage.write(change);
  }

  wake(_owner: number, atMs: number): void {
    this.#wake?.cancel();
    this.#wake = this.#parts.clock.schedule(Math.max(0, atMs - this.#now()), () => {
      if (!this.#closed) this.machine.tick(this.#now());
    });
  }

  emit(_owner: number, event: ClientEvent): void {
    if (event.type === "connection") {
      if (event.state === "ready") this.#recoveries = 0;
      else if (event.state === "stopped" && event.code === closeCodes.unauthenticated.code) this.#recoverLater();
    }
    this.#tell(event);
  }

  connect(): void {
    const attempt = ++this.#attempt;
    void this.#connect(attempt);
  }

  disconnect(): void {
    this.#attempt++;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  async #connect(attempt: number): Promise<void> {
    const isCurrent = (): boolean => attempt === this.#attempt && !this.#closed;
    try {
      const accessToken = await this.#parts.session.accessToken();
      if (isCurrent()) this.#open(accessToken);
    } catch (error) {
      const ends = error instanceof ApiError && !error.temporary;
      if (isCurrent()) this.machine.disconnected(this.#now(), ends ? closeCodes.unauthenticated.code : 1006);
    }
  }

  #open(accessToken: string): void {
    const socket = this.#parts.openSocket(this.#parts.url, accessToken, {
      onOpen: () => {
        if (this.#socket === socket) this.machine.connected(this.#now());
      },
      onText: (text) => {
        if (this.#socket === socket) this.#hear(text);
      },
      onClosed: (code, status) => {
        if (this.#socket !== socket) return;
        this.#socket = undefined;
        this.machine.disconnected(this.#now(), status === 401 ? closeCodes.unauthenticated.code : code);
      },
    });
    this.#socket = socket;
  }

  #hear(text: string): void {
    const parsed = parseServerFrame(text);
    if (parsed.ok) this.machine.frame(this.#now(), parsed.frame);
    else if (parsed.fatal) {
      // Not this protocol: whatever was lost with it comes again after a new connection's sync.
      this.disconnect();
      this.machine.disconnected(this.#now(), 1006);
    }
  }

  /** At once the first time, then ever more patiently. */
  #recoverLater(): void {
    const { clock, random, config } = this.#parts;
    const attempt = this.#recoveries++;
    const delay = attempt === 0 ? 0 : backoffMs(attempt, config.backoffMinMs, config.backoffMaxMs, random);
    this.#recovery?.cancel();
    this.#recovery = clock.schedule(delay, () => {
      void this.#recover();
    });
  }

  async #recover(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#parts.session.refresh();
      if (!this.#closed) this.machine.start(this.#now());
    } catch (error) {
      if (this.#closed) return;
      if (error instanceof ApiError && !error.temporary) this.#tell({ type: "session_ended", error });
      else this.#recoverLater();
    }
  }

  #storageFailed(error: StorageError): void {
    if (this.#closed) return;
    this.close();
    this.#tell({ type: "storage_failed", error });
  }

  /** Soon, in order: whoever hears an event may call the machine, which must not be in the middle of something. */
  #tell(event: HostEvent): void {
    queueMicrotask(() => this.#parts.onEvent(event));
  }

  #now(): number {
    return this.#parts.clock.monotonicMs();
  }
}
