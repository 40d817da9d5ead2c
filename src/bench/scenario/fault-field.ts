import { z } from "zod";
import { type FaultKind, faultKindNames, faultKinds, type FaultSpec } from "../faults/fault-kinds.ts";
import { parseSizeBytes } from "../units.ts";
import { attempt, durationField, fail, positiveDurationField, section, wordField } from "./fields.ts";

/** One entry of `faults:`. Which keys it has depends on what it does. */
const bandwidthField = z
  .union([z.string(), z.number()], { error: "expected a size per second such as 64kB/s" })
  .transform((text, context): number => {
    const bytes = attempt(context, () => parseSizeBytes(String(text).replace(/\s*\/\s*s$/, "")));
    return bytes === z.NEVER || bytes > 0 ? bytes : fail(context, "a bandwidth is above 0");
  });

/** At the first key that does not belong there, at the last that is missing. */
export const faultField = section({
  at: durationField,
  do: wordField("fault", faultKindNames),
  which: z.string({ error: "expected whom it strikes, such as server-1, redis or clients" }),
  for: positiveDurationField.optional(),
  latency: positiveDurationField.optional(),
  jitter: positiveDurationField.optional(),
  bandwidth: bandwidthField.optional(),
}).transform((written, context): FaultSpec => {
  // A fault of an unknown kind has been reported already.
  if (context.issues.length > 0) return z.NEVER;
  const kind = faultKinds[written.do];
  for (const key of ["latency", "jitter", "bandwidth"] as const) {
    const known: readonly string[] = kind.options;
    if (written[key] === undefined || known.includes(key)) continue;
    return fail(context, `${written.do} has no ${key}${ownerText(key)}`, undefined, [key]);
  }
  if (kind.lasts && written.for === undefined) return fail(context, `${written.do} lasts: say for how long (for: 5s)`);
  if (!kind.lasts && written.for !== undefined)
    return fail(context, `${written.do} is over at once`, undefined, ["for"]);
  const needed = kind.options[0];
  if (needed !== undefined && written[needed] === undefined) return fail(context, `${written.do} needs ${needed}`);
  return {
    atMs: written.at,
    do: written.do,
    which: written.which,
    forMs: written.for ?? 0,
    latencyMs: written.latency ?? 0,
    jitterMs: written.jitter ?? 0,
    bytesPerSecond: written.bandwidth ?? Number.POSITIVE_INFINITY,
  };
});

function ownerText(key: string): string {
  const owner = faultKindNames.find((name: FaultKind) => (faultKinds[name].options as readonly string[]).includes(key));
  return owner === undefined ? "" : `: it belongs to ${owner}`;
}
