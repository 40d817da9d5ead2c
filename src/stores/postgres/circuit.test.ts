import { describe, expect, test } from "vitest";
import { Circuit } from "./circuit.ts";

describe("circuit", () => {
  test("single failures are asked again at once; a few in a row are not asked for a while", () => {
    const circuit = new Circuit();
    for (let count = 1; count <= Circuit.failuresMax; count++) {
      expect(circuit.admit(0)).toBe(true);
      circuit.failed(0);
      expect(circuit.isLost).toBe(true);
    }
    expect(circuit.admit(Circuit.openMs - 1)).toBe(false);
  });

  test("then one may try at a time; an answer lets all through again", () => {
    const circuit = new Circuit();
    for (let count = 0; count < Circuit.failuresMax; count++) circuit.failed(0);
    expect([1, 2, 3].map(() => circuit.admit(Circuit.openMs))).toEqual([true, false, false]);
    circuit.failed(600);
    expect(circuit.admit(600 + Circuit.openMs - 1)).toBe(false);
    expect(circuit.admit(600 + Circuit.openMs)).toBe(true);
    circuit.answered();
    expect([1, 2, 3].map(() => circuit.admit(1_200))).toEqual([true, true, true]);
    expect(circuit.isLost).toBe(false);
  });

  test("a trial that never ends does not keep others from trying later", () => {
    const circuit = new Circuit();
    for (let count = 0; count < Circuit.failuresMax; count++) circuit.failed(0);
    expect(circuit.admit(500)).toBe(true);
    expect(circuit.admit(999)).toBe(false);
    expect(circuit.admit(1_000)).toBe(true);
  });
});
