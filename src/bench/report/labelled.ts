import type { Style } from "./style.ts";
import { wrap } from "./wrap.ts";

export const labelWidth = 12;
export const lineWidth = 100;

/** Text with a label before its first line, wrapped beside it. */
export function labelled(label: string, text: string, style: Style): string[] {
  return wrap(text, lineWidth - labelWidth).map(
    (line, index) => style.dim((index === 0 ? label : "").padEnd(labelWidth)) + line,
  );
}
