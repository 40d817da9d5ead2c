import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export type Direction = "toServer" | "toClient";

/**
 * Stands between a client and a server and does to their bytes what networks do: hold them, delay them, lose a connection,
 * let nobody in. Bytes keep their order and are never changed. What it is told holds for connections that are open and for
 * those to come.
 */
export interface TcpProxy extends AsyncDisposable {
  /** host:port of the proxy. */
  readonly address: string;
  readonly port: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Connections that were ever made. */
  readonly accepted: number;
  /** From now on bytes of this direction stay here. */
  hold(direction: Direction): void;
  /** What is held goes on, in order, and what comes passes. */
  release(): void;
  /** Resolves when at least that many bytes of all connections are held in the direction. */
  whenHeld(direction: Direction, bytesMin?: number): Promise<void>;
  /** From now on bytes arrive that much later, either way. 0 = at once. */
  delay(delayMs: number): void;
  /** Resets every open connection, with what is held. New ones are let in. */
  cut(): void;
  /** Resets new connections as soon as they are made, or lets them in again. */
  refuse(refused: boolean): void;
}

/** Held bytes of one connection and direction beyond which the sender is made to wait. */
const heldBytesMax = 16 * 1024 * 1024;

/** `target`: host:port. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const proxy = new ForwardingProxy(target);
  await proxy.listen();
  return proxy;
}

interface Rules {
  readonly held: Set<Direction>;
  delayMs: number;
}

/** One direction of one connection. */
class Pump {
  readonly #rules: Rules;
  readonly #direction: Direction;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #onHeld: () => void;
  #chunks: { readonly bytes: Buffer; readonly dueMs: number }[] = [];
  #queuedBytes = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(rules: Rules, direction: Direction, from: Socket, to: Socket, onHeld: () => void) {
    this.#rules = rules;
    this.#direction = direction;
    this.#from = from;
    this.#to = to;
    this.#onHeld = onHeld;
    from.on("data", (bytes: Buffer) => this.#take(bytes));
    from.on("end", () => {
      this.#ended = true;
      this.flush();
    });
    to.on("drain", () => this.flush());
    to.on("close", () => clearTimeout(this.#timer));
  }

  get heldBytes(): number {
    return this.#rules.held.has(this.#direction) ? this.#queuedBytes : 0;
  }

  #take(bytes: Buffer): void {
    this.#chunks.push({ bytes, dueMs: performance.now() + this.#rules.delayMs });
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > heldBytesMax) this.#from.pause();
    this.flush();
    if (this.heldBytes > 0) this.#onHeld();
  }

  /** Passes on what may go now. */
  flush(): void {
    clearTimeout(this.#timer);
    while (!this.#rules.held.has(this.#direction)) {
      const [next] = this.#chunks;
      if (next === undefined) {
        if (this.#ended) this.#to.end();
        return;
      }
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.flush(), waitMs);
        return;
      }
      if (this.#to.writableNeedDrain) return;
      this.#chunks.shift();
      this.#queuedBytes -= next.bytes.length;
      this.#to.write(next.bytes);
      if (this.#from.isPaused() && this.#queuedBytes <= heldBytesMax) this.#from.resume();
    }
  }
}

interface Connection {
  readonly sockets: readonly [Socket, Socket];
  readonly pumps: Readonly<Record<Direction, Pump>>;
}

class ForwardingProxy implements TcpProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  readonly #connections = new Set<Connection>();
  readonly #rules: Rules = { held: new Set(), delayMs: 0 };
  #watchers: { readonly direction: Direction; readonly bytesMin: number; readonly resolve: () => void }[] = [];
  #refused = false;
  accepted = 0;

  constructor(target: string) {
    const colon = target.lastIndexOf(":");
    this.#target = { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) };
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get open(): number {
    return this.#connections.size;
  }

  hold(direction: Direction): void {
    this.#rules.held.add(direction);
  }

  release(): void {
    this.#rules.held.clear();
    this.#flush();
  }

  whenHeld(direction: Direction, bytesMin = 1): Promise<void> {
    return new Promise((resolve) => {
      this.#watchers.push({ direction, bytesMin, resolve });
      this.#tellWatchers();
    });
  }

  delay(delayMs: number): void {
    this.#rules.delayMs = delayMs;
  }

  cut(): void {
    for (const { sockets } of this.#connections) for (const socket of sockets) socket.resetAndDestroy();
  }

  refuse(refused: boolean): void {
    this.#refused = refused;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    if (this.#server.listening) await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    this.accepted++;
    if (this.#refused) {
      client.on("error", () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ ...this.#target, allowHalfOpen: true });
    const tell = (): void => this.#tellWatchers();
    const pumps = {
      toServer: new Pump(this.#rules, "toServer", client, server, tell),
      toClient: new Pump(this.#rules, "toClient", server, client, tell),
    };
    const connection: Connection = { sockets: [client, server], pumps };
    this.#connections.add(connection);
    for (const socket of connection.sockets) {
      socket.setNoDelay(true);
      // Every error is followed by close, and a connection has two ends or none.
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#connections.delete(connection);
        for (const other of connection.sockets) other.destroy();
      });
    }
  }

  #flush(): void {
    for (const { pumps } of this.#connections) {
      pumps.toServer.flush();
      pumps.toClient.flush();
    }
  }

  #tellWatchers(): void {
    this.#watchers = this.#watchers.filter(({ direction, bytesMin, resolve }) => {
      let heldBytes = 0;
      for (const { pumps } of this.#connections) heldBytes += pumps[direction].heldBytes;
      if (heldBytes < bytesMin) return true;
      resolve();
      return false;
    });
  }
}
