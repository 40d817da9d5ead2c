import { z } from "zod";
import type { StoppedProcess } from "../../stack/stop-stack.ts";

export const stoppedDocument = z.array(
  z.object({ name: z.string(), pid: z.int(), how: z.enum(["ended", "killed", "absent"]) }),
);

const words = {
  ended: "stopped",
  killed: "killed: it did not end by itself",
  absent: "was not running any more",
} as const;

export function stoppedText(stopped: readonly StoppedProcess[], directory: string): string {
  if (stopped.length === 0) return `Nothing of that ran in ${directory}.`;
  return stopped.map(({ name, pid, how }) => `${name} (${pid}): ${words[how]}`).join("\n");
}
