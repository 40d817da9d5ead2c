import type { AppendFate, Weather } from "./weather.ts";

/** Weather that a test decides step by step; fair where it says nothing. */
export class ScriptedWeather implements Weather {
  /** Fates of the next appends, first one first. */
  readonly fates: AppendFate[] = [];
  /** Operations that fail until they are taken out: `lists.write`, or `groups.settle.answer` for a lost answer. */
  readonly failing = new Set<string>();
  /** Run once, in the middle of the named operation, before it takes effect. */
  readonly during = new Map<string, () => Promise<void> | void>();
  /** Whether serial reads finish late appends. */
  settles = true;
  /** Whether list writes of an append applied in part were done, first one first; done where it says nothing. */
  readonly kept: boolean[] = [];

  async pause(operation: string): Promise<void> {
    const run = this.during.get(operation);
    this.during.delete(operation);
    await run?.();
  }

  fails(operation: string): boolean {
    return this.failing.has(operation);
  }

  appendFate(): AppendFate {
    return this.fates.shift() ?? "calm";
  }

  settlesLate(): boolean {
    return this.settles;
  }

  keepsWrite(): boolean {
    return this.kept.shift() ?? true;
  }

  losesDelivery(): boolean {
    return false;
  }
}
