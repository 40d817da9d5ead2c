import { z } from "zod";
import { didYouMean } from "../../base/did-you-mean.ts";
import { type ExecutorName, executorNames, type ExecutorSpec, executors } from "./executor-options.ts";
import { type Complaint, complaintsOf, unknownKey } from "./issues.ts";
import { type Located, nodeAt, type Path, toPlain } from "./located.ts";
import { type Operation, type OperationName, operationNames, operations } from "./operations.ts";
import type { Workload } from "./schema.ts";

/**
 * One entry of `load`: {do, executor, during, …keys of the executor, …keys of the operation}. The keys are told apart by
 * the two tables, so that a key of another executor or operation is explained rather than merely unknown.
 */
export type ReadWorkload =
  | { readonly ok: true; readonly workload: Workload }
  | { readonly ok: false; readonly complaints: readonly Complaint[] };

const ownKeys = ["do", "executor", "during"];
const duringField = z.union([z.string().transform((phase) => [phase]), z.array(z.string()).min(1)], {
  error: "expected the name of a phase, or a list of them",
});

export function readWorkload(root: Located, name: string): ReadWorkload {
  const path: Path = ["load", name];
  const node = nodeAt(root, path);
  if (node?.kind !== "map") return { ok: false, complaints: [{ path, message: `load.${name}: expected a map` }] };
  const complaints: Complaint[] = [];
  const operation = nameAt<OperationName>(root, path, "do", "operation", operationNames, complaints);
  const executor = nameAt<ExecutorName>(root, path, "executor", "executor", executorNames, complaints);
  if (operation === undefined || executor === undefined) return { ok: false, complaints };

  const allowed: readonly ExecutorName[] = operations[operation].executors;
  if (!allowed.includes(executor)) {
    const message = `load.${name}: ${operation} runs with ${allowed.join(" or ")}, not ${executor}`;
    complaints.push({ path: [...path, "executor"], message });
  }
  const ofExecutor = keysOf(executors[executor], operation);
  const ofOperation = Object.keys(operations[operation].options.shape);
  const plain = toPlain(node) as Record<string, unknown>;
  const parts: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  for (const [key, value] of Object.entries(plain)) {
    if (ownKeys.includes(key)) continue;
    if (ofExecutor.includes(key)) parts[0][key] = value;
    else if (ofOperation.includes(key)) parts[1][key] = value;
    else complaints.push(strangeKey(path, key, operation, executor, [...ofExecutor, ...ofOperation]));
  }
  const when = executors[executor].safeParse(parts[0]);
  const what = operations[operation].options.safeParse(parts[1]);
  if (!when.success) complaints.push(...complaintsOf(when.error, root, path));
  if (!what.success) complaints.push(...complaintsOf(what.error, root, path));
  const during = duringField.optional().safeParse(plain["during"]);
  if (!during.success) complaints.push(...complaintsOf(during.error, root, [...path, "during"]));
  if (!when.success || !what.success || !during.success || complaints.length > 0) return { ok: false, complaints };
  const workload = {
    name,
    ...({ do: operation, options: what.data } as Operation),
    when: { executor, options: when.data } as ExecutorSpec,
    ...(during.data === undefined ? {} : { during: during.data }),
  };
  return { ok: true, workload };
}

function nameAt<Name extends string>(
  root: Located,
  path: Path,
  key: string,
  what: string,
  names: readonly Name[],
  complaints: Complaint[],
): Name | undefined {
  const node = nodeAt(root, [...path, key]);
  if (node === undefined) {
    complaints.push({ path, message: `missing: ${[...path, key].join(".")} (${names.join(", ")})` });
    return undefined;
  }
  const written = String(toPlain(node));
  const found = names.find((name) => name === written);
  if (found === undefined) {
    const suggestion = didYouMean(written, names);
    complaints.push({
      path: [...path, key],
      message: `unknown ${what} "${written}" (${names.join(", ")})`,
      suggestion,
    });
  }
  return found;
}

/** An operation on group members has `groups` instead of the executor's `users`. */
function keysOf(options: (typeof executors)[ExecutorName], operation: OperationName): string[] {
  const keys = Object.keys(options.shape);
  return operations[operation].subject === "user" ? keys : keys.filter((key) => key !== "users");
}

function strangeKey(
  path: Path,
  key: string,
  operation: OperationName,
  executor: ExecutorName,
  known: readonly string[],
): Complaint {
  const owner =
    executorNames.find((name) => name !== executor && Object.hasOwn(executors[name].shape, key)) ??
    operationNames.find((name) => name !== operation && Object.hasOwn(operations[name].options.shape, key));
  if (owner === undefined) return unknownKey(path, key, [...known, ...ownKeys]);
  const verb = Object.hasOwn(executors, owner)
    ? `${owner}, this workload has ${executor}`
    : `${owner}, this workload does ${operation}`;
  if (key === "users") return { path, key, message: `key "users" does not fit ${operation} with ${executor}` };
  return { path, key, message: `key "${key}" belongs to ${verb}` };
}
