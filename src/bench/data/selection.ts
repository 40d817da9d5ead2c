import { assert } from "../../base/assert.ts";
import { mixBelow, mixFloat } from "./mix.ts";

/**
 * Who is picked for the n-th operation. All are functions of (seed, n).
 * zipf: rank r has weight 1 / r^exponent, ranks are scattered over the items, so that the hot ones do not all belong to
 * one worker. hotspot: `share` of the picks go to `items` (a fraction) of the items. latest: zipf (0.99) with the highest
 * index the likeliest, the youngest accounts of a service.
 */
export type SelectionSpec =
  | { readonly kind: "uniform" }
  | { readonly kind: "latest" }
  | { readonly kind: "zipf"; readonly exponent: number }
  | { readonly kind: "hotspot"; readonly items: number; readonly share: number };

/** Answers an index in [0, items). Costs below 0.2 µs. */
export type Selection = (n: number) => number;

export function createSelection(spec: SelectionSpec, items: number, seed: number): Selection {
  assert(Number.isInteger(items) && items >= 1 && items <= 2 ** 32, `selection among ${items}`);
  switch (spec.kind) {
    case "uniform":
      return (n) => mixBelow(seed, n, 0, items);
    case "latest": {
      const rank = createZipf(items, 0.99, seed);
      return (n) => items - 1 - rank(n);
    }
    case "zipf": {
      const rank = createZipf(items, spec.exponent, seed);
      const stride = coprimeNear(items, 0.6180339887);
      const offset = mixBelow(seed, 0, 99, items);
      return (n) => (rank(n) * stride + offset) % items;
    }
    case "hotspot": {
      const hot = Math.max(1, Math.round(items * spec.items));
      if (hot >= items) return (n) => mixBelow(seed, n, 0, items);
      const stride = coprimeNear(items, 0.6180339887);
      return (n) => {
        const index =
          mixFloat(seed, n, 1) < spec.share ? mixBelow(seed, n, 0, hot) : hot + mixBelow(seed, n, 0, items - hot);
        return (index * stride) % items;
      };
    }
  }
}

/**
 * Ranks from 0 by rejection-inversion (Hörmann and Derflinger 1996): constant time and memory for any number of items,
 * exact for every exponent > 0, fewer than 1.1 rounds on average.
 */
function createZipf(items: number, exponent: number, seed: number): Selection {
  assert(exponent > 0, `zipf exponent ${exponent}`);
  const integral = (x: number): number => {
    const logX = Math.log(x);
    return helper2((1 - exponent) * logX) * logX;
  };
  const inverse = (y: number): number => {
    const t = Math.max(-1, y * (1 - exponent));
    return Math.exp(helper1(t) * y);
  };
  const weight = (x: number): number => Math.exp(-exponent * Math.log(x));
  const integralFirst = integral(1.5) - 1;
  const integralLast = integral(items + 0.5);
  const shortcut = 2 - inverse(integral(2.5) - weight(2));
  return (n) => {
    for (let attempt = 0; ; attempt++) {
      const u = integralLast + mixFloat(seed, n, attempt) * (integralFirst - integralLast);
      const x = inverse(u);
      const k = Math.min(items, Math.max(1, Math.round(x)));
      if (k - x <= shortcut || u >= integral(k + 0.5) - weight(k)) return k - 1;
    }
  };
}

/** log1p(x) / x, continued through 0. */
function helper1(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.log1p(x) / x : 1 - x * (0.5 - x * (1 / 3 - 0.25 * x));
}

/** expm1(x) / x, continued through 0. */
function helper2(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.expm1(x) / x : 1 + x * 0.5 * (1 + (x / 3) * (1 + 0.25 * x));
}

/** The first number at or above `fraction` of `items` that shares no divisor with it: stepping by it visits every item once. */
export function coprimeNear(items: number, fraction: number): number {
  let candidate = Math.max(1, Math.floor(items * fraction));
  while (greatestCommonDivisor(candidate, items) !== 1) candidate++;
  return candidate;
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}
