import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { createSystemRandom } from "../../base/random.ts";
import { type Direction, LinkRules } from "./tcp-link.ts";
import { Pump } from "./tcp-pump.ts";

/**
 * Stands between a client and a server and does to their bytes what networks do: hold them, delay them, let few of them
 * pass, lose a connection, forget one, let nobody in. Bytes keep their order and are never changed. What it is told holds
 * for connections that are open and for those to come.
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
  /** From now on bytes arrive that much later, either way, and at random up to `jitterMs` more. 0 = at once. */
  delay(delayMs: number, jitterMs?: number): void;
  /** From now on so many bytes a second pass in each direction, over all connections. Infinity = no bound. */
  throttle(bytesPerSecond: number): void;
  /** Resets every open connection, with what is held. New ones are let in. */
  cut(): void;
  /** Resets new connections as soon as they are made, or lets them in again. */
  refuse(refused: boolean): void;
  /**
   * true: the server's end of every connection is gone, and the client is not told: what it sends leads nowhere, as do
   * connections that it makes meanwhile. false: those are reset, and new ones are led to the server.
   */
  halfOpen(isHalfOpen: boolean): void;
  /** Leads new connections elsewhere; undefined = there is nobody behind, and they are reset. */
  retarget(target: string | undefined): void;
}

/** `target`: host:port; undefined = nobody yet. */
export async function startTcpProxy(target: string | undefined): Promise<TcpProxy> {
  const proxy = new ForwardingProxy(target);
  await proxy.listen();
  return proxy;
}

/** A client, and the server's end of it unless that was lost without the client's knowledge. */
interface Connection {
  readonly client: Socket;
  server: Socket | undefined;
  readonly pumps: readonly Pump[];
}

class ForwardingProxy implements TcpProxy {
  #target: { readonly host: string; readonly port: number } | undefined;
  readonly #server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  readonly #connections = new Set<Connection>();
  readonly #rules: LinkRules;
  #watchers: { readonly direction: Direction; readonly bytesMin: number; readonly resolve: () => void }[] = [];
  #refused = false;
  #isHalfOpen = false;
  accepted = 0;

  constructor(target: string | undefined) {
    const random = createSystemRandom();
    this.#rules = new LinkRules(() => random.float());
    this.retarget(target);
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

  delay(delayMs: number, jitterMs = 0): void {
    this.#rules.delayMs = delayMs;
    this.#rules.jitterMs = jitterMs;
  }

  throttle(bytesPerSecond: number): void {
    this.#rules.bytesPerSecond = bytesPerSecond;
    this.#flush();
  }

  cut(): void {
    for (const { client, server } of this.#connections) {
      client.resetAndDestroy();
      server?.resetAndDestroy();
    }
  }

  refuse(refused: boolean): void {
    this.#refused = refused;
  }

  halfOpen(isHalfOpen: boolean): void {
    if (this.#isHalfOpen === isHalfOpen) return;
    this.#isHalfOpen = isHalfOpen;
    for (const connection of this.#connections) {
      if (isHalfOpen) forget(connection);
      else if (connection.server === undefined) connection.client.resetAndDestroy();
    }
  }

  retarget(target: string | undefined): void {
    const colon = target?.lastIndexOf(":") ?? -1;
    this.#target =
      target === undefined ? undefined : { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    if (this.#server.listening) await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    this.accepted++;
    // Every error is followed by close, and a connection has two ends or none.
    client.on("error", () => undefined);
    if (this.#isHalfOpen) this.#keepAlone(client);
    else if (this.#refused || this.#target === undefined) client.resetAndDestroy();
    else this.#join(client, connect({ ...this.#target, allowHalfOpen: true }));
  }

  /** A connection to a server that is not there any more. */
  #keepAlone(client: Socket): void {
    const connection: Connection = { client, server: undefined, pumps: [] };
    this.#connections.add(connection);
    client.resume();
    client.on("close", () => this.#connections.delete(connection));
  }

  #join(client: Socket, server: Socket): void {
    const tell = (): void => this.#tellWatchers();
    const pumps = [
      new Pump(this.#rules, "toServer", client, server, tell),
      new Pump(this.#rules, "toClient", server, client, tell),
    ];
    const connection: Connection = { client, server, pumps };
    this.#connections.add(connection);
    server.on("error", () => undefined);
    for (const socket of [client, server]) socket.setNoDelay(true);
    client.on("close", () => {
      this.#connections.delete(connection);
      server.destroy();
    });
    server.on("close", () => {
      if (connection.server !== undefined) client.destroy();
    });
  }

  #flush(): void {
    for (const { pumps } of this.#connections) for (const pump of pumps) pump.flush();
  }

  #tellWatchers(): void {
    this.#watchers = this.#watchers.filter(({ direction, bytesMin, resolve }) => {
      let heldBytes = 0;
      for (const { pumps } of this.#connections) {
        for (const pump of pumps) if (pump.direction === direction) heldBytes += pump.heldBytes;
      }
      if (heldBytes < bytesMin) return true;
      resolve();
      return false;
    });
  }
}

/** The server's end goes, the client is not told. */
function forget(connection: Connection): void {
  const { server, pumps } = connection;
  connection.server = undefined;
  for (const pump of pumps) pump.leadNowhere();
  server?.resetAndDestroy();
}
