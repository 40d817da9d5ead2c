import type { Origin } from "./problem.ts";

/**
 * YAML values that remember where they were written, so that a problem found after merging and overriding still points
 * at the line to mend. Immutable; `merge` and `setAt` answer new trees.
 */
export type Located = LocatedMap | LocatedList | LocatedScalar;

export interface LocatedMap {
  readonly kind: "map";
  readonly origin: Origin;
  readonly entries: ReadonlyMap<string, LocatedEntry>;
}

export interface LocatedEntry {
  /** Where the key is written. */
  readonly key: Origin;
  readonly value: Located;
}

export interface LocatedList {
  readonly kind: "list";
  readonly origin: Origin;
  readonly items: readonly Located[];
}

export interface LocatedScalar {
  readonly kind: "scalar";
  readonly origin: Origin;
  readonly value: string | number | boolean | null;
}

export type Path = readonly PropertyKey[];

export function toPlain(node: Located): unknown {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(toPlain);
    case "map":
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toPlain(entry.value)]));
  }
}

export function nodeAt(root: Located, path: Path): Located | undefined {
  let node: Located | undefined = root;
  for (const step of path) {
    if (node?.kind === "map") node = node.entries.get(String(step))?.value;
    else if (node?.kind === "list") node = node.items[Number(step)];
    else return undefined;
  }
  return node;
}

/** Where the value at a path stands; for what is not there, the nearest value that should contain it. */
export function originAt(root: Located, path: Path): Origin {
  for (let length = path.length; length > 0; length--) {
    const node = nodeAt(root, path.slice(0, length));
    if (node !== undefined) return node.origin;
  }
  return root.origin;
}

export function keyOriginAt(root: Located, path: Path, key: string): Origin {
  const node = nodeAt(root, path);
  const entry = node?.kind === "map" ? node.entries.get(key) : undefined;
  return entry?.key ?? originAt(root, path);
}

/** Maps are merged key by key; anything else in `over` replaces what `base` has. */
export function merge(base: Located, over: Located): Located {
  if (base.kind !== "map" || over.kind !== "map") return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    entries.set(key, below === undefined ? entry : { key: entry.key, value: merge(below.value, entry.value) });
  }
  return { kind: "map", origin: over.origin, entries };
}

/** Puts `value` at a path, making the maps on the way. Answers in words why it cannot. */
export function setAt(node: Located, path: readonly string[], value: Located): Located | string {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (node.kind === "list") {
    const index = /^[0-9]+$/.test(step) ? Number(step) : -1;
    const item = node.items[index];
    if (item === undefined) return `no element ${step} in a list of ${node.items.length}`;
    const changed = setAt(item, rest, value);
    return typeof changed === "string" ? changed : { ...node, items: node.items.with(index, changed) };
  }
  const entries = new Map(node.kind === "map" ? node.entries : []);
  const below = entries.get(step)?.value ?? { kind: "map", origin: value.origin, entries: new Map() };
  const changed = setAt(below, rest, value);
  if (typeof changed === "string") return changed;
  entries.set(step, { key: value.origin, value: changed });
  return { kind: "map", origin: node.origin, entries };
}
