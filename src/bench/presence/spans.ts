/** Sets of times, as sorted spans [fromMs, toMs) that do not touch; ms on any one axis. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The times of all; empty spans are left out. */
export function unite(spans: readonly Span[]): Span[] {
  const united: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of spans.toSorted((one, other) => one.fromMs - other.fromMs)) {
    if (toMs <= fromMs) continue;
    const last = united.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else united.push({ fromMs, toMs });
  }
  return united;
}

/** Of these times, those within a span. */
export function clip(spans: readonly Span[], within: Span): Span[] {
  return spans.flatMap(({ fromMs, toMs }) => {
    const [low, high] = [Math.max(fromMs, within.fromMs), Math.min(toMs, within.toMs)];
    return low < high ? [{ fromMs: low, toMs: high }] : [];
  });
}

/** What is left of one span without those times; `without` as `unite` gives it. */
export function subtract(span: Span, without: readonly Span[]): Span[] {
  const left: Span[] = [];
  let fromMs = span.fromMs;
  for (const gone of clip(without, span)) {
    if (gone.fromMs > fromMs) left.push({ fromMs, toMs: gone.fromMs });
    fromMs = gone.toMs;
  }
  if (fromMs < span.toMs) left.push({ fromMs, toMs: span.toMs });
  return left;
}

export function lengthMs(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}
