import type { IncomingMessage } from "node:http";

/** As much of a request as says where it comes from. */
export type Sent = Pick<IncomingMessage, "headers"> & {
  readonly socket: Pick<IncomingMessage["socket"], "remoteAddress">;
};

/**
 * Address of the client, for rate limits: that of the connection, or with `proxies` > 0 what the outermost of so many
 * trusted proxies saw: each adds the address of whoever asked it at the end of `X-Forwarded-For`. What stands before that
 * was written by somebody else and is worth nothing. Fewer entries than proxies: the first of them.
 */
export function clientAddress({ headers, socket }: Sent, proxies: number): string {
  const own = socket.remoteAddress ?? "";
  if (proxies === 0) return own;
  const header = headers["x-forwarded-for"];
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  const seen = text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  return seen.at(-proxies) ?? seen[0] ?? own;
}
