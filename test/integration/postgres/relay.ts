import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Stands between an adapter and the server, and behaves as a network may. */
export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** From now on nothing passes, nobody is told; what is sent meanwhile is lost for good. */
  freeze(): void;
  /** New connections pass again; frozen ones stay as they are. */
  thaw(): void;
  /** Ends every connection and refuses new ones. */
  down(): Promise<void>;
  /** Takes connections again, on the same port. */
  up(): Promise<void>;
}

export async function startRelay(host: string, port: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  let server: Server;
  let ownPort = 0;
  const relay = (near: Socket): void => {
    if (isFrozen) return keep(near);
    const far = connect(port, host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      keep(from);
      from.on("data", (bytes) => isFrozen || to.write(bytes));
      from.on("close", () => isFrozen || to.destroy());
    }
  };
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  };
  const up = async (): Promise<void> => {
    server = createServer(relay);
    await new Promise<void>((resolve) => server.listen(ownPort, "127.0.0.1", resolve));
    ownPort = (server.address() as AddressInfo).port;
  };
  const down = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await up();
  return {
    port: ownPort,
    freeze: () => void (isFrozen = true),
    thaw: () => void (isFrozen = false),
    down,
    up,
    [Symbol.asyncDispose]: down,
  };
}
