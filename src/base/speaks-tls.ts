import { connect } from "node:tls";

/** OpenSSL's own word for an answer that is no TLS: it spoke first, or answered in another protocol. */
const notTlsCodes: ReadonlySet<string> = new Set([
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_UNEXPECTED_MESSAGE",
  "ERR_SSL_HTTP_REQUEST",
]);

/** Whether the other side answered to TLS with something that is none. The code may be EPROTO, with OpenSSL's words in the message. */
export function isNotTls(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return notTlsCodes.has(code) || /wrong version number|packet length too long/i.test(error.message);
}

/**
 * Whether something there takes TLS: asked when it did not answer in the clear, to tell an operator so. Nothing is sent but
 * the handshake, and any certificate will do. Bounded by `timeoutMs`; never rejects.
 */
export function speaksTls(host: string, port: number, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, rejectUnauthorized: false });
  const timer = setTimeout(() => resolve(false), timeoutMs);
  socket.once("secureConnect", () => resolve(true));
  // One that wants a certificate of the client says so in TLS.
  socket.once("error", ({ message }: Error) => resolve(/alert/i.test(message)));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.on("error", () => undefined).destroy();
  });
}

/** As `speaksTls`, of any of several `host:port` that are separated by commas. */
export async function anySpeaksTls(addresses: string, timeoutMs: number): Promise<boolean> {
  const asked = addresses.split(",").map((address) => {
    const at = address.lastIndexOf(":");
    return speaksTls(address.slice(0, at), Number(address.slice(at + 1)), timeoutMs);
  });
  return (await Promise.all(asked)).includes(true);
}
