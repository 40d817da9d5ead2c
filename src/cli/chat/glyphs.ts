import type { MessageStatus } from "../../protocol/receipt-math.ts";

/** Signs that a terminal may not have. Each status has a shape of its own, so that none is told by colour alone. */
export interface Glyphs {
  readonly ticks: Readonly<Record<MessageStatus | "pending" | "failed", string>>;
  readonly arrow: string;
  readonly dot: string;
  /** Before the second and later lines of a message: they cannot be taken for a message of their own. */
  readonly continuation: string;
  readonly dash: string;
}

const unicode: Glyphs = {
  ticks: { pending: "○", sent: "✓", delivered: "✓✓", read: "✓✓ read", failed: "!" },
  arrow: "→",
  dot: "·",
  continuation: "  │ ",
  dash: "──",
};

const ascii: Glyphs = {
  ticks: { pending: ".", sent: "+", delivered: "++", read: "++ read", failed: "!" },
  arrow: "->",
  dot: "*",
  continuation: "  | ",
  dash: "--",
};

/** By the locale, in the order in which POSIX looks (LC_ALL, LC_CTYPE, LANG); terminals that say they are dumb get ASCII. */
export function chooseGlyphs(variables: Readonly<Record<string, string | undefined>>): Glyphs {
  const set = [variables["LC_ALL"], variables["LC_CTYPE"], variables["LANG"]].find((value) => (value ?? "") !== "");
  const knowsUnicode = set === undefined || /utf-?8/i.test(set);
  return knowsUnicode && variables["TERM"] !== "dumb" ? unicode : ascii;
}
