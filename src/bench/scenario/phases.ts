import type { Complaint } from "./issues.ts";
import type { LoadPhase, ScenarioFile } from "./schema.ts";

/**
 * `prepare` (first) connects everybody and writes the history, `drain` (last) waits for what is under way; the phases
 * between them carry the load. Both may be left out: preparing and draining happen anyway.
 */
export interface ReadPhases {
  readonly phases: readonly LoadPhase[];
  readonly connectRate: number;
  readonly drainMs: number;
  readonly endsAfterFaults: boolean;
  readonly loadMsMin: number;
  readonly demandsRecovery: boolean;
}

const connectRateDefault = 1_000;
const drainMsDefault = 10_000;
/** For what was struck to come back, and for the recovery to show. */
const roomAfterFaultsMs = 300_000;

export function readPhases(file: ScenarioFile, complaints: Complaint[]): ReadPhases {
  const phases: LoadPhase[] = [];
  let connectRate = connectRateDefault;
  let drainMs = drainMsDefault;
  const last = file.phases.findLast(({ name }) => name !== "prepare" && name !== "drain");
  const names = new Set<string>();
  file.phases.forEach((phase, index) => {
    const path = ["phases", index];
    const complain = (message: string): void => void complaints.push({ path, message: `phases[${index}]: ${message}` });
    if (names.has(phase.name)) complain(`a second phase "${phase.name}"`);
    names.add(phase.name);
    if (phase.connect !== undefined && phase.name !== "prepare") complain("connect belongs to the phase prepare");
    if (phase.until !== undefined && phase !== last) complain("until belongs to the last phase under load");
    if (phase.until !== undefined && file.faults.length === 0) complain("until: faults, but there are none");
    if (phase.name === "prepare") {
      if (index !== 0) complain("prepare must be the first phase");
      if (phase.duration !== undefined) complain("prepare takes as long as it needs; it has no duration");
      connectRate = phase.connect ?? connectRateDefault;
    } else if (phase.name === "drain") {
      if (index !== file.phases.length - 1) complain("drain must be the last phase");
      drainMs = phase.duration ?? drainMsDefault;
    } else if (phase.duration === undefined) complain(`phase "${phase.name}" has no duration`);
    else phases.push({ name: phase.name, durationMs: phase.duration, record: phase.record });
  });
  if (!phases.some((phase) => phase.record)) {
    complaints.push({ path: ["phases"], message: "phases: none is recorded; add {name: steady, duration: 30s}" });
  }
  const endsAfterFaults = last?.until === "faults";
  return { phases, connectRate, drainMs, endsAfterFaults, loadMsMin: 0, demandsRecovery: true };
}

/**
 * The phases of a scenario to which faults were added: the last one lasts until they are over and what came after them was
 * seen, and at least as long as it says. How soon everything is as before is reported and not demanded, since a scenario that
 * was made for other questions may be too short or too thin to show it.
 */
export function untilFaults(read: ReadPhases, { faults }: Pick<ScenarioFile, "faults">): ReadPhases {
  const loadMs = read.phases.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const lastsMs = Math.max(loadMs, ...faults.map(({ atMs, forMs }) => atMs + forMs)) + roomAfterFaultsMs;
  const phases = read.phases.map((phase, index) =>
    index < read.phases.length - 1 ? phase : { ...phase, durationMs: phase.durationMs + lastsMs - loadMs },
  );
  const loadMsMin = read.endsAfterFaults ? 0 : loadMs;
  return { ...read, phases, endsAfterFaults: true, loadMsMin, demandsRecovery: false };
}
