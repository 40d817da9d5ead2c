import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";

/** A network in which the answers to sends get lost on demand: what the server did is done all the same. */
export class LossyNetwork implements AsyncDisposable {
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  /** Sends whose answer was held back. */
  swallowed = 0;
  swallows = false;
  #isCut = false;

  constructor(port: number) {
    this.#listener = createServer((client) => {
      if (this.#isCut) {
        client.destroy();
        return;
      }
      const upstream = connect(port, "127.0.0.1");
      let isSend = false;
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
      }
      client.on("data", (bytes) => {
        isSend = bytes.toString("latin1").startsWith("POST /api/messages");
        upstream.write(bytes);
      });
      upstream.on("data", (bytes) => {
        if (this.swallows && isSend) this.swallowed++;
        else client.write(bytes);
      });
      client.on("close", () => upstream.destroy());
      upstream.on("close", () => client.destroy());
    });
  }

  async open(): Promise<string> {
    this.#listener.listen(0, "127.0.0.1");
    await once(this.#listener, "listening");
    return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** Ends what is connected and lets nobody in until `mend`. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  mend(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#listener.close();
    await once(this.#listener, "close");
  }
}
