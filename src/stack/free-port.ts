import { createServer } from "node:net";
import { StackError } from "./stack-error.ts";

export interface PortRequest {
  /** All of them must be free at that port. */
  readonly hosts: readonly string[];
  /** Asked for first; then the ones above it, or with `anywhere` any. */
  readonly preferred: number;
  readonly anywhere: boolean;
  /** Given to others already, who may not listen yet. */
  readonly taken: ReadonlySet<number>;
}

/** Where neither well-known servers nor the system's outgoing connections (from 32768 on) are. */
const anywhereRange = { from: 20_000, to: 32_000 };
const attemptsMax = 200;

/** A port that nobody listens on. Somebody may take it before it is used: whoever uses it has to be ready for that. */
export async function choosePort(request: PortRequest, randomBelow: (bound: number) => number): Promise<number> {
  const { from, to } = anywhereRange;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port = request.anywhere ? from + randomBelow(to - from) : request.preferred + attempt;
    if (port > 65_535) break;
    if (request.taken.has(port)) continue;
    const free = await Promise.all(request.hosts.map((host) => isFree(host, port)));
    if (free.every(Boolean)) return port;
  }
  throw new StackError(
    "configuration",
    `No free port near ${request.preferred} on ${request.hosts.join(", ")}.`,
    "Run `msgr stack up --any-port`, or stop what listens there.",
  );
}

/** Throws where the address itself does not exist: no port would help. */
function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRNOTAVAIL") {
        const fix = `On macOS: sudo ifconfig lo0 alias ${host} up. Or start one Cassandra node.`;
        reject(new StackError("configuration", `This machine has no address ${host}.`, fix, error));
      } else resolve(false);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
