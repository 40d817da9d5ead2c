/** Beyond this many pairs of lines the diff is not worth its time: the first difference is shown alone. */
const pairsMax = 4_000_000;

/** What was taken out (`-`) and put in (`+`), line by line, with one line of the surroundings. "" when equal. */
export function textDiff(before: string, after: string): string {
  if (before === after) return "";
  const [one, other] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < one.length && head < other.length && one[head] === other[head]) head++;
  let tail = 0;
  while (tail < Math.min(one.length, other.length) - head && one.at(-1 - tail) === other.at(-1 - tail)) tail++;
  const changed = diffLines(one.slice(head, one.length - tail), other.slice(head, other.length - tail));
  const context = head > 0 ? [`  ${one[head - 1] as string}`] : [];
  return [`@@ line ${head + 1}`, ...context, ...changed].join("\n");
}

/** The longest common subsequence, by the textbook's table. */
function diffLines(one: readonly string[], other: readonly string[]): readonly string[] {
  if (one.length * other.length > pairsMax) return [`- ${one[0] ?? ""}`, `+ ${other[0] ?? ""}`, "  …"];
  const width = other.length + 1;
  const common = new Uint32Array((one.length + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] as number;
  for (let row = one.length - 1; row >= 0; row--) {
    for (let column = other.length - 1; column >= 0; column--) {
      common[row * width + column] =
        one[row] === other[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: string[] = [];
  let [row, column] = [0, 0];
  while (row < one.length || column < other.length) {
    if (row < one.length && column < other.length && one[row] === other[column]) {
      lines.push(`  ${one[row] as string}`);
      row++;
      column++;
    } else if (column === other.length || (row < one.length && at(row + 1, column) >= at(row, column + 1))) {
      lines.push(`- ${one[row++] as string}`);
    } else {
      lines.push(`+ ${other[column++] as string}`);
    }
  }
  return lines;
}
