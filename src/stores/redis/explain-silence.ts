import { connect } from "node:net";
import { speaksTls } from "../../base/speaks-tls.ts";
import { StoreError } from "../../base/store-error.ts";
import { toStoreError } from "./errors.ts";
import type { RedisAddress } from "./redis-address.ts";

/** The longest that is looked for the other way of speaking. */
const withinMsMax = 1_000;

/**
 * What an operator hears of a Redis that cannot be used. One that wants TLS hangs up on whoever speaks in the clear, and one
 * that knows none waits for the end of what it takes for a command: so it is asked. Never rejects.
 */
export async function explainRedis(error: unknown, address: RedisAddress, timeoutMs: number): Promise<StoreError> {
  const known = toStoreError(error, address.text);
  if (known.kind !== "unreachable" || /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/.test(known.message)) return known;
  const { host, port, tls, text } = address;
  const withinMs = Math.min(timeoutMs, withinMsMax);
  const wrong = (message: string, fix: string): StoreError =>
    new StoreError("redis", "wrong_transport", `Redis at ${text} ${message}.`, fix, error);
  if (tls && (await answersInTheClear(host, port, withinMs))) {
    return wrong(
      "does not speak TLS, and redis.url asks for it",
      "Write redis:// in redis.url, or set its `tls-port`.",
    );
  }
  if (!tls && (await speaksTls(host, port, withinMs))) {
    return wrong("speaks TLS, and redis.url does not", "Write rediss:// in redis.url.");
  }
  return known;
}

/** PING is answered with +PONG, or with -NOAUTH. */
function answersInTheClear(host: string, port: number, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port }, () => socket.write("PING\r\n"));
  const timer = setTimeout(() => resolve(false), timeoutMs);
  socket.once("data", (bytes: Buffer) => resolve(/^[+-]/.test(bytes.toString("latin1"))));
  socket.on("error", () => resolve(false));
  socket.once("close", () => resolve(false));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}
