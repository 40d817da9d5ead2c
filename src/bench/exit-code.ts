/** How `msgr bench` ends. Broken correctness outranks an invalid run, which outranks a missed threshold. */
export const benchExitCodes = { ok: 0, wrongScenario: 2, thresholdMissed: 7, invalid: 8, broken: 9 } as const;

export type BenchExitCode = (typeof benchExitCodes)[keyof typeof benchExitCodes];

export interface RunVerdicts {
  readonly correct: boolean;
  readonly generatorValid: boolean;
  readonly thresholdsHeld: boolean;
}

export function decideExitCode({ correct, generatorValid, thresholdsHeld }: RunVerdicts): BenchExitCode {
  if (!correct) return benchExitCodes.broken;
  if (!generatorValid) return benchExitCodes.invalid;
  return thresholdsHeld ? benchExitCodes.ok : benchExitCodes.thresholdMissed;
}
