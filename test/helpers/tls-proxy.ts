import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer } from "node:tls";

/** Something that speaks TLS with a certificate of the test's, in front of a store that does not. */
export interface TlsProxy extends AsyncDisposable {
  readonly port: number;
}

/** `port`: where bytes go once they are in the clear, on 127.0.0.1. */
export async function startTlsProxy(files: { readonly certificate: string; readonly key: string }, port: number) {
  const sockets = new Set<Socket>();
  const keep = <S extends Socket>(socket: S): S => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
  const options = { cert: readFileSync(files.certificate), key: readFileSync(files.key) };
  const server = createServer(options, (client) => {
    const store = connect(port, "127.0.0.1");
    // Either end may hang up in the middle of something; then the other one has to.
    keep(client).on("error", () => store.destroy());
    keep(store).on("error", () => client.destroy());
    client.pipe(store).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  } satisfies TlsProxy;
}
