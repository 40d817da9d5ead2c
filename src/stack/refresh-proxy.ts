import { readFileSync } from "node:fs";
import { replaceFile } from "./files/replace-file.ts";
import { exchange, parseAddress } from "./probes/exchange.ts";
import { lastLines, logSize } from "./processes/log-file.ts";
import { isRunning } from "./processes/recorded-process.ts";
import { currentNginxConfig, generationPath, nginxConfigFile } from "./recipes/nginx.ts";
import type { StartRun } from "./run-context.ts";
import { StackError } from "./stack-error.ts";
import { serversBehind } from "./start-store.ts";
import { processesOf } from "./store-processes.ts";

const withinMs = 10_000;
const pollMs = 50;
/** Workers of before take connections for some 100 ms beside the new ones. */
const answersInARow = 4;
const quotedLines = 5;

/**
 * Tells an nginx that runs about the servers and the object store that are there now, if it does not know them yet.
 * Connections through it stay. Throws StackError if it does not take the configuration.
 */
export async function refreshProxy(run: StartRun): Promise<void> {
  const { state, signal, sleep, nowMs } = run;
  const [nginx] = processesOf(state.file, "nginx").filter(isRunning);
  if (nginx === undefined) return;
  const address = parseAddress(nginx.address);
  const { text, generation } = currentNginxConfig(address.port, serversBehind(run), state.file.settings);
  const file = nginxConfigFile(state.directory);
  if (readFileSync(file, "utf8") === text) return;
  run.reporter.progress("nginx", "reading its configuration again");
  const logStart = logSize(nginx.log);
  replaceFile(file, text);
  process.kill(nginx.pid, "SIGHUP");
  const lateAtMs = nowMs() + withinMs;
  const request = Buffer.from(`GET ${generationPath} HTTP/1.1\r\nHost: nginx\r\nConnection: close\r\n\r\n`);
  for (let seen = 0; seen < answersInARow && !signal.aborted;) {
    const answer = await exchange(address, request, (bytes) => bytes.includes(`${generation}\n`), pollMs * 4);
    seen = answer === undefined ? 0 : seen + 1;
    if (nowMs() > lateAtMs) {
      const said = lastLines(nginx.log, quotedLines, logStart).join("\n    ");
      const fix = "`msgr stack down --only nginx`, then `msgr stack up` again.";
      throw new StackError("failed", `nginx does not take its new configuration. It says:\n    ${said}`, fix);
    }
    await sleep(pollMs);
  }
}
