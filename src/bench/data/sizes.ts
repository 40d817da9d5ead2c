import { assert, present } from "../../base/assert.ts";
import { mixFloat } from "./mix.ts";

/** How long the n-th text is, in bytes. Lognormal sizes are given by their median and cut at `bytesMax`. */
export type SizeSpec =
  | { readonly kind: "fixed"; readonly bytes: number }
  | { readonly kind: "weighted"; readonly choices: readonly { readonly bytes: number; readonly weight: number }[] }
  | { readonly kind: "lognormal"; readonly medianBytes: number; readonly sigma: number; readonly bytesMax: number };

/** Answers whole bytes ≥ 0. */
export type Sizes = (n: number) => number;

export function createSizes(spec: SizeSpec, seed: number): Sizes {
  switch (spec.kind) {
    case "fixed":
      return () => spec.bytes;
    case "weighted": {
      const total = spec.choices.reduce((sum, choice) => sum + choice.weight, 0);
      assert(total > 0, "weights above zero");
      return (n) => {
        let rest = mixFloat(seed, n, 0) * total;
        for (const choice of spec.choices) {
          rest -= choice.weight;
          if (rest < 0) return choice.bytes;
        }
        return present(spec.choices.at(-1), "a size").bytes;
      };
    }
    case "lognormal":
      return (n) => {
        // Box–Muller; 1 − u keeps the logarithm's argument above zero.
        const radius = Math.sqrt(-2 * Math.log(1 - mixFloat(seed, n, 0)));
        const normal = radius * Math.cos(2 * Math.PI * mixFloat(seed, n, 1));
        return Math.min(spec.bytesMax, Math.max(1, Math.round(spec.medianBytes * Math.exp(spec.sigma * normal))));
      };
  }
}
