import type { z } from "zod";
import {
  countField,
  positiveDurationField,
  rateField,
  section,
  selectionField,
  shareField,
  wordField,
} from "./fields.ts";

/** The keys of each executor in a workload. `users` says whom an arrival picks; a period concerns every user anyway. */
const users = selectionField.default({ kind: "uniform" });

export const executors = {
  "constant-arrival-rate": section({
    rate: rateField,
    arrival: wordField("arrival", ["uniform", "poisson"]).default("uniform"),
    users,
  }),
  "per-user-period": section({
    period: positiveDurationField,
    jitter: shareField.refine((share) => share < 0.5, "must be below 50%").default(0),
  }),
  closed: section({ in_flight: countField(1, 1_000_000), users }),
} as const;

export type ExecutorName = keyof typeof executors;
export const executorNames = Object.keys(executors) as ExecutorName[];

export type ExecutorSpec = {
  [Name in ExecutorName]: { readonly executor: Name; readonly options: z.infer<(typeof executors)[Name]> };
}[ExecutorName];
