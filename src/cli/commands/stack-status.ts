import { z } from "zod";
import { type ProcessStatus, stackStatus } from "../../stack/stack-status.ts";
import { partOf } from "../../stack/versions.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";
import { columnsOf, processDocument } from "../stack/process-table.ts";
import { directoryFlag, directoryOption, stackPlace } from "../stack/stack-options.ts";

const healthWords = { healthy: "healthy", silent: "does not answer", stopped: "not running" } as const;

export const stackStatusCommand: Command = {
  name: "stack status",
  summary: "Say what of the stack runs, where, and what it takes",
  details: "Exit code 5 when something that should run does not, or does not answer.",
  options: [directoryOption],
  examples: [
    { command: "msgr stack status", what: "Name, version, address, health, memory and uptime of each process" },
    { command: "msgr stack status --json", what: "For scripts" },
  ],
  output: {
    schema: z.object({
      directory: z.string(),
      processes: z.array(
        processDocument.extend({
          health: z.enum(["healthy", "silent", "stopped"]),
          resident_bytes: z.int().nullable(),
          uptime_seconds: z.int().nullable(),
        }),
      ),
    }),
    lines: false,
  },
  exits: ["finding", "configuration"],
  run: status,
};

async function status(invocation: Invocation): Promise<ExitReason> {
  const { output, environment } = invocation;
  const { directory } = stackPlace(invocation);
  const flag = directoryFlag(directory, environment);
  const processes = await stackStatus(directory);
  const document = { directory, processes: processes.map(documentOf) };
  output.data(document, () => (processes.length === 0 ? `Nothing runs in ${directory}.` : tableOf(processes)));
  const { program } = environment;
  if (processes.length === 0) output.talk(`Start it: ${program} stack up${flag}`);
  const wrong = processes.filter(({ health }) => health !== "healthy");
  if (wrong.length === 0) return "done";
  for (const { name, health, log } of wrong) output.warn(`${name} ${healthWords[health]}; its log: ${log}`);
  const command = `${program} stack up${onlyFlag(processes, wrong)}${flag}`;
  const also = wrong.some(({ health }) => health === "silent")
    ? ", and replaces what does not answer for 3 minutes"
    : "";
  output.talk(`${command} starts what is missing${also}.`);
  return "finding";
}

/** Stores that nobody asked for are not started along; servers need all that they stand on. */
function onlyFlag(processes: readonly ProcessStatus[], wrong: readonly ProcessStatus[]): string {
  if (processes.some(({ name }) => partOf(name) === "server")) return "";
  return ` --only ${[...new Set(wrong.map(({ name }) => partOf(name) ?? name))].join(",")}`;
}

function documentOf({ name, version, pid, address, log, health, usage }: ProcessStatus) {
  const resident = usage?.residentBytes ?? null;
  const uptime = usage?.uptimeSeconds ?? null;
  return { name, version, pid, address, log, health, resident_bytes: resident, uptime_seconds: uptime };
}

function tableOf(processes: readonly ProcessStatus[]): string {
  const rows = processes.map(({ name, version, pid, address, health, usage }) => [
    name,
    version,
    String(pid),
    address,
    healthWords[health],
    usage === undefined ? "-" : `${Math.round(usage.residentBytes / 1024 / 1024)} MB`,
    usage === undefined ? "-" : uptimeText(usage.uptimeSeconds),
  ]);
  return columnsOf(["name", "version", "pid", "address", "health", "memory", "up for"], rows).join("\n");
}

function uptimeText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`;
}
