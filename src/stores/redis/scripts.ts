import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A Lua script that Redis runs as one step. Its file opens with KEYS, ARGV and what it returns. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

function load(name: string): Script {
  const text = readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), "utf8");
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

export const scripts = {
  presenceLeave: load("presence-leave"),
  presenceWant: load("presence-want"),
  typingStart: load("typing-start"),
  typingList: load("typing-list"),
  rateTake: load("rate-take"),
  connectionRegister: load("connection-register"),
  connectionRefresh: load("connection-refresh"),
  connectionForget: load("connection-forget"),
  leaseRenew: load("lease-renew"),
  leaseRelease: load("lease-release"),
  nodesBeat: load("nodes-beat"),
} as const satisfies Record<string, Script>;
