import { connect } from "node:net";
import { BenchError } from "../driver/bench-error.ts";

const answerTimeoutMs = 5_000;

/** FLUSHALL to a Redis without a password, as those of a private stack are. `address`: host:port. */
export function flushRedis(address: string): Promise<void> {
  const colon = address.lastIndexOf(":");
  return new Promise((resolve, reject) => {
    const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon));
    const end = (problem: string | undefined): void => {
      socket.destroy();
      if (problem === undefined) resolve();
      else reject(new BenchError("failed", `FLUSHALL at ${address}: ${problem}`));
    };
    let said = "";
    socket.setTimeout(answerTimeoutMs, () => end(`no answer within ${answerTimeoutMs / 1_000} s`));
    socket.on("error", (error) => end(error.message));
    socket.on("data", (bytes: Buffer) => {
      said += bytes.toString();
      if (said.includes("\r\n")) end(said.startsWith("+OK") ? undefined : said.trim());
    });
    socket.write("FLUSHALL\r\n");
  });
}
