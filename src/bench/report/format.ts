import type { MetricUnit } from "../metrics.ts";

/** Numbers for people: at most four significant digits, a unit, no exponent. Locale-independent. */
export function formatCount(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

export function formatUs(us: number): string {
  if (us < 1_000) return `${Math.round(us)} µs`;
  if (us < 1_000_000) return `${digits(us / 1_000)} ms`;
  return us < 120_000_000 ? `${digits(us / 1_000_000)} s` : formatSpanMs(us / 1_000);
}

/** Lengths of time that people plan with: 45s, 3m, 1m30s. */
export function formatSpanMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 3_600), "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  return parts.map(([value, unit]) => (value === 0 ? "" : `${value}${unit}`)).join("") || "0s";
}

export function formatRate(perSecond: number): string {
  return `${perSecond >= 1_000 ? formatCount(perSecond) : digits(perSecond)}/s`;
}

/** Just below 100 % is never rounded up to it: "100%" means all. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 99 && percent < 100) return `${Math.floor(percent * 100) / 100}%`;
  return `${digits(percent)}%`;
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log(bytes) / Math.log(1_024)));
  return `${power === 0 ? Math.round(bytes) : digits(bytes / 1_024 ** power)} ${units[power]}`;
}

/** A metric's value in its own unit; durations come in ms. */
export function formatMetric(value: number, unit: MetricUnit): string {
  switch (unit) {
    case "duration":
      return formatUs(value * 1_000);
    case "share":
      return formatShare(value);
    case "rate":
      return formatRate(value);
    case "count":
      return formatCount(value);
    case "size":
      return formatBytes(value);
  }
}

function digits(value: number): string {
  const text = value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
