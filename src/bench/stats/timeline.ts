import { assert } from "../../base/assert.ts";

/**
 * Where the load lies on the time axis. Times are ms since the common t0, at which the first phase with load begins;
 * an operation belongs to the phase of its intended start. Phases with load follow each other without a gap.
 */
export interface TimelinePhase {
  readonly name: string;
  readonly durationMs: number;
  /** False: the phase warms up; nothing of it is reported. */
  readonly record: boolean;
}

export interface TimelineWindow {
  readonly startMs: number;
  readonly endMs: number;
}

export class Timeline {
  readonly phases: readonly TimelinePhase[];
  readonly endMs: number;
  readonly #ends: readonly number[];

  constructor(phases: readonly TimelinePhase[]) {
    assert(phases.length > 0, "a phase with load");
    this.phases = phases;
    const ends: number[] = [];
    for (const phase of phases) ends.push((ends.at(-1) ?? 0) + phase.durationMs);
    this.#ends = ends;
    this.endMs = ends.at(-1) as number;
  }

  /** Index of the phase at a time; the first for times before t0, −1 from the end on. */
  phaseAt(atMs: number): number {
    for (let index = 0; index < this.#ends.length; index++) if (atMs < (this.#ends[index] as number)) return index;
    return -1;
  }

  startMs(phase: number): number {
    return phase === 0 ? 0 : (this.#ends[phase - 1] as number);
  }

  /** The stretches of time that the phases of these names cover, neighbours as one; undefined = all of it. */
  windowsOf(names: readonly string[] | undefined): readonly TimelineWindow[] {
    if (names === undefined) return [{ startMs: 0, endMs: this.endMs }];
    const windows: { startMs: number; endMs: number }[] = [];
    this.phases.forEach(({ name, durationMs }, phase) => {
      if (!names.includes(name)) return;
      const startMs = this.startMs(phase);
      const last = windows.at(-1);
      if (last?.endMs === startMs) last.endMs += durationMs;
      else windows.push({ startMs, endMs: startMs + durationMs });
    });
    return windows;
  }

  /** Total of the recorded phases. */
  recordedMs(): number {
    return this.phases.reduce((sum, phase) => sum + (phase.record ? phase.durationMs : 0), 0);
  }
}
