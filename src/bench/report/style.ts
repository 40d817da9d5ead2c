/** Colour by role, or none at all. Widths are those of the text, so styling comes after padding. */
export interface Style {
  readonly strong: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
}

const plain = (text: string): string => text;
const sgr =
  (code: number) =>
  (text: string): string =>
    text === "" ? "" : `\u001B[${code}m${text}\u001B[0m`;

/** `colour` false: as NO_COLOR, TERM=dumb or a pipe want it. */
export function createStyle(colour: boolean): Style {
  if (!colour) return { strong: plain, dim: plain, good: plain, bad: plain, warn: plain };
  return { strong: sgr(1), dim: sgr(2), good: sgr(32), bad: sgr(31), warn: sgr(33) };
}
