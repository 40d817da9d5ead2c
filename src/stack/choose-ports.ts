import { choosePort } from "./free-port.ts";
import type { PortNeed } from "./recipes/recipe.ts";
import type { StartRun } from "./run-context.ts";

/**
 * A port for each need: the one of the last start if it is free, else the usual one, else the next free one, which is
 * said. Ports of processes that run
 * (`running`, by name) are what they are.
 */
export async function choosePorts(
  needs: readonly PortNeed[],
  running: ReadonlySet<string>,
  run: StartRun,
): Promise<ReadonlyMap<string, number>> {
  const chosen = new Map<string, number>();
  for (const need of needs) {
    const before = run.state.file.ports?.[need.name];
    const held = need.process === undefined ? running.size > 0 : running.has(need.process);
    const wanted = before ?? need.preferred;
    const port = held && before !== undefined ? before : await firstFree(need, wanted, before, run);
    run.takenPorts.add(port);
    chosen.set(need.name, port);
    if (port !== wanted && !run.anyPort) run.reporter.note(`${need.name}: port ${wanted} is taken, ${port} is used`);
  }
  return chosen;
}

function firstFree(need: PortNeed, wanted: number, before: number | undefined, run: StartRun): Promise<number> {
  // A port of before was any port then, and is as good as any other now.
  const anywhere = run.anyPort && before === undefined;
  return choosePort({ hosts: need.hosts, preferred: wanted, anywhere, taken: run.takenPorts }, run.randomBelow);
}
