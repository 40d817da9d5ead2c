import path from "node:path";
import { parseAddress } from "./probes/exchange.ts";
import { endProcess } from "./processes/end-process.ts";
import { launch } from "./processes/launch.ts";
import { lastLines, logSize, rotateLog } from "./processes/log-file.ts";
import { ownsPort } from "./processes/owns-port.ts";
import { isRunning } from "./processes/recorded-process.ts";
import type { PlannedProcess, Recipe } from "./recipes/recipe.ts";
import type { StartRun } from "./run-context.ts";
import { StackError } from "./stack-error.ts";
import type { StackProcess } from "./stack-file.ts";
import { type Health, waitUntilHealthy } from "./wait-until-healthy.ts";

/** A process that ended because somebody else has its port, or because the last one has not quite gone: worth another try. */
export class StartConflict extends Error {
  override readonly name = "StartConflict";
  /** Whether another port would help. */
  readonly isOfPort: boolean;

  constructor(message: string, isOfPort: boolean) {
    super(message);
    this.isOfPort = isOfPort;
  }
}

const portSigns =
  /address already in use|in use by another process|failed to bind|could not bind|bind\(\) to|port \d+ on \S+ is taken/i;
const remainsSigns = /pre-existing shared memory block|lock file "postmaster\.pid" already exists/i;
const quotedLines = 12;
export const endGraceMs = 20_000;

/** Starts it, or adopts the one that runs, and waits until it answers. Throws StackError or StartConflict. */
export async function startProcess(
  recipe: Recipe,
  planned: PlannedProcess,
  run: StartRun,
): Promise<"started" | "adopted"> {
  const known = run.state.file.processes.find(({ name }) => name === planned.name);
  if (known !== undefined && (await adoptProcess(recipe, known, run))) return "adopted";
  await startAnew(recipe, planned, run);
  return "started";
}

/** Whether a process of an earlier run serves. One that does not answer for as long as a start may take is ended. */
export async function adoptProcess(recipe: Recipe, known: StackProcess, run: StartRun): Promise<boolean> {
  const { name, pid } = known;
  if (isRunning(known)) {
    run.reporter.progress(recipe.part, `process ${pid} runs: asking it`);
    const health = await wait(recipe, known, () => (isRunning(known) ? undefined : "ended"), run);
    if (health === "healthy") return true;
    if (health === "interrupted") throw interruptedError();
    run.reporter.note(`${name}: process ${pid} does not answer and is replaced`);
  }
  await end(recipe, known, run);
  return false;
}

async function startAnew(recipe: Recipe, planned: PlannedProcess, run: StartRun): Promise<void> {
  const log = path.join(run.state.directory, "logs", `${planned.name}.log`);
  rotateLog(log);
  const logStart = logSize(log);
  if (run.signal.aborted) throw interruptedError();
  const launched = await launch({ ...planned.launch, log });
  const { pid, startedAt } = launched;
  const address = `${planned.address.host}:${planned.address.port}`;
  const { name, version, health: asked } = planned;
  const health = asked === undefined ? {} : { health: `${asked.host}:${asked.port}` };
  const process: StackProcess = { name, pid, startedAt, version, address, ...health, log };
  run.state.add(process);
  run.started.push(process);
  let ended: string | undefined;
  void launched.ended.then((how) => (ended = how));
  launched.begin();
  run.reporter.progress(recipe.part, planned.name === recipe.part ? "starting" : `starting ${planned.name}`);
  const outcome = await wait(recipe, process, () => ended, run);
  if (outcome === "healthy") return;
  if (outcome === "interrupted") throw interruptedError();
  throw startError(planned, outcome, process, logStart, recipe.readyWithinMs);
}

function wait(
  recipe: Recipe,
  process: StackProcess,
  ended: () => string | undefined,
  { signal, sleep, nowMs }: StartRun,
): Promise<Health> {
  const { probe, readyWithinMs } = recipe;
  const address = parseAddress(process.health ?? process.address);
  return waitUntilHealthy({
    address,
    probe,
    readyWithinMs,
    signal,
    sleep,
    nowMs,
    isOwn: () => ownsPort(process.pid, address.port),
    ended,
  });
}

export async function end(
  recipe: Recipe,
  process: StackProcess,
  run: Pick<StartRun, "state" | "sleep">,
): Promise<void> {
  const { directory } = run.state;
  await endProcess(process, { signal: recipe.stopSignal, graceMs: endGraceMs, directory, sleep: run.sleep });
  run.state.remove(process.name);
}

function startError(
  { name, address }: PlannedProcess,
  health: "late" | { readonly ended: string },
  { log }: StackProcess,
  logStart: number,
  readyWithinMs: number,
): Error {
  const lines = lastLines(log, quotedLines, logStart);
  const text = lines.join("\n");
  const how =
    health === "late" ? `did not answer on port ${address.port} within ${readyWithinMs / 1000} s` : health.ended;
  if (health !== "late" && (portSigns.test(text) || remainsSigns.test(text))) {
    return new StartConflict(`${name} ${how}:\n${text}`, portSigns.test(text));
  }
  const quote = lines.map((line) => `\n    ${line}`).join("");
  return new StackError("unreachable", `${name} ${how}. Its log ends with:${quote}`, fixFor(text, log));
}

function fixFor(text: string, log: string): string {
  if (/no space left on device/i.test(text)) return "The disk is full: make room, then run `msgr stack up` again.";
  if (/OutOfMemoryError|Cannot allocate memory|insufficient memory/i.test(text)) {
    return "The machine is short of memory: start fewer stores with --only.";
  }
  return `All of it is in ${log}. \`msgr stack reset\` starts over with empty data.`;
}

export function interruptedError(): StackError {
  return new StackError(
    "failed",
    "Interrupted: what this command had started was stopped.",
    "Run `msgr stack up` again.",
  );
}
