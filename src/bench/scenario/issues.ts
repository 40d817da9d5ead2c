import type { z } from "zod";
import { didYouMean } from "../../base/did-you-mean.ts";
import { keyOriginAt, type Located, nodeAt, originAt, type Path } from "./located.ts";
import { type Problem, problemAt } from "./problem.ts";

/** A complaint about the value at a path, from zod or from a check of our own. */
export interface Complaint {
  readonly path: Path;
  readonly message: string;
  readonly suggestion?: string | undefined;
  /** The complaint is about the key at `path`, not about its value. */
  readonly key?: string;
}

export function locateComplaint(root: Located, complaint: Complaint): Problem {
  const origin =
    complaint.key === undefined ? originAt(root, complaint.path) : keyOriginAt(root, complaint.path, complaint.key);
  return problemAt(origin, complaint.message, complaint.suggestion);
}

/** zod's issues in the words of a scenario's author. `prefix` is the path of what was parsed within `root`. */
export function complaintsOf(error: z.ZodError, root: Located, prefix: Path = []): Complaint[] {
  return error.issues.flatMap((issue): Complaint[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      // Sections put their known keys into the message (fields.ts).
      const known = issue.message.split(" ").filter((key) => key !== "");
      return issue.keys.map((key) => unknownKey(path, key, known));
    }
    if (issue.code === "invalid_key") {
      const key = String(path.at(-1));
      return [{ path: path.slice(0, -1), key, message: `"${key}": ${issue.issues[0]?.message ?? issue.message}` }];
    }
    const name = path.length === 0 ? "the scenario" : pathText(path);
    if (issue.code !== "custom" && nodeAt(root, path) === undefined) return [{ path, message: `missing: ${name}` }];
    const suggestion = issue.code === "custom" ? (issue.params?.["suggestion"] as string | undefined) : undefined;
    return [{ path, message: `${name}: ${plainMessage(issue)}`, suggestion }];
  });
}

export function unknownKey(path: Path, key: string, known: readonly string[]): Complaint {
  const where = path.length === 0 ? "" : ` in ${pathText(path)}`;
  const suggestion = didYouMean(key, known);
  const list = suggestion === undefined && known.length > 0 ? ` (known: ${known.join(", ")})` : "";
  return { path, key, message: `unknown key "${key}"${where}${list}`, suggestion };
}

/** `load.beat.rate`, `phases[1].duration`. */
export function pathText(path: Path): string {
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${String(step)}`))
    .join("");
}

function plainMessage(issue: z.core.$ZodIssue): string {
  if (!issue.message.startsWith("Invalid input: ") && !issue.message.startsWith("Too ")) return issue.message;
  if (issue.code === "invalid_type")
    return `expected ${{ object: "a map", record: "a map", array: "a list" }[issue.expected as string] ?? issue.expected}`;
  return issue.message.replace(/^(Invalid input|Too \w+): /, "");
}
