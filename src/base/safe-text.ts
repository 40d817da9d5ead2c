/**
 * Text of others on its way to a terminal: the one filter in front of every human sink. What could move the cursor, change
 * colours, set a title, open a link, reorder the line or hide in it is gone; what is left is what a person can see.
 * Only `--json` output is not filtered (it is escaped, so that it stays verbatim).
 */

/* eslint-disable no-control-regex -- control characters are what this file is about */
/** Whole sequences, as ECMA-48 has them: CSI, then strings (DCS, SOS, OSC, PM, APC) with their terminator, then ESC and one. */
const sequences =
  /(?:\u001b\[|\u009b)[\u0030-\u003f]*[\u0020-\u002f]*[\u0040-\u007e]|(?:\u001b[PX\]^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u0018\u001a\u001b\u0080-\u009f\n]*(?:\u0007|\u009c|\u001b\\)|\u001b[\u0020-\u002f]*[\u0030-\u007e]/gu;
const invisible = /[\p{Cc}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]/u;
const pictograph = /\p{Extended_Pictographic}/u;
/** What may stand between a pictograph and the joiner after it: presentation selector, skin tone, keycap. */
const pictographTail = /\ufe0f|\p{Emoji_Modifier}/u;
const combining = /\p{M}/u;

const joiner = "\u200d";
const textSelector = "\ufe0e";
const emojiSelector = "\ufe0f";
/** Marks on one letter beyond this are there to paint over other lines; no script in use needs as many. */
const marksMax = 8;

/**
 * `text` without anything invisible, except line breaks (as \n) and the parts of emoji. Tabs become spaces, lone surrogates
 * U+FFFD. Idempotent; never longer than `text`.
 */
export function safeText(text: string): string {
  const plain = text.toWellFormed().replaceAll(/\r\n?/g, "\n").replaceAll(sequences, "");
  if (!invisible.test(plain.replaceAll("\n", "")) && !combining.test(plain)) return plain;
  return filter(Array.from(plain));
}

/** `safeText` in one line: every line break is a space. For names, titles and whatever stands among other words. */
export function safeLine(text: string): string {
  return safeText(text).replaceAll("\n", " ");
}

function filter(points: readonly string[]): string {
  let output = "";
  /** The last code point that was kept, and whether it ends a pictograph, so that a joiner may follow. */
  let last = "";
  let endsPictograph = false;
  let marks = 0;
  for (let at = 0; at < points.length; at++) {
    const point = kept(points[at] as string, points[at + 1] ?? "", last, endsPictograph);
    if (point === "") continue;
    marks = combining.test(point) ? marks + 1 : 0;
    if (marks > marksMax) continue;
    endsPictograph = pictograph.test(point) || (endsPictograph && pictographTail.test(point));
    last = point;
    output += point;
  }
  return output;
}

/** What `point` becomes: itself, a space, or nothing. */
function kept(point: string, next: string, last: string, endsPictograph: boolean): string {
  if (point === "\n") return point;
  if (point === "\t") return " ";
  if (point === joiner) return endsPictograph && pictograph.test(next) ? point : "";
  if (point === emojiSelector || point === textSelector) return isSelectable(last) ? point : "";
  if (point === "\u2028" || point === "\u2029") return "\n";
  return invisible.test(point) ? "" : point;
}

/** Presentation selectors mean something after a pictograph, a digit, # and *; elsewhere they carry hidden bits. */
function isSelectable(last: string): boolean {
  return last !== "" && (pictograph.test(last) || /[0-9#*]/.test(last));
}
