import type { LogFields, Logger } from "../../base/logger.ts";
import type { Config } from "../../server/config/config-schema.ts";
import type { Invocation } from "../command.ts";

/** The log of a server process, on stderr: lines for eyes on a terminal, JSON elsewhere. `base`: fields of every line. */
export async function createServerLog({ output }: Invocation, { log }: Config, base?: LogFields): Promise<Logger> {
  const { createLogger } = await import("../../base/logger.ts");
  const pretty = log.format === "pretty" || (log.format === "auto" && output.stderrIsTerminal);
  return createLogger({
    level: log.level,
    format: pretty ? "pretty" : "json",
    destination: output.talkSink,
    ...(base === undefined ? {} : { base }),
  });
}

/** Resolves with the first SIGINT or SIGTERM. */
export function asksToLeave(interrupted: AbortSignal): Promise<{ readonly listening: boolean }> {
  return new Promise((resolve) => {
    const leave = (): void => resolve({ listening: true });
    if (interrupted.aborted) leave();
    else interrupted.addEventListener("abort", leave, { once: true });
  });
}
