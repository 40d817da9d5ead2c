import { scripts, type Script } from "../../../src/stores/redis/scripts.ts";

interface Entry {
  readonly value: string | Map<string, string>;
  endsAtMs: number;
}

type Arguments = readonly (string | number)[];

/**
 * What one Redis keeps, and what the scripts of src/stores/redis/lua do to it, said again in this language: the contract
 * suite of the registry and the bus runs the real ones. Time is that of the store.
 */
export class RedisMemory {
  readonly #nowMs: () => number;
  #entries = new Map<string, Entry>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** FLUSHALL */
  flush(): void {
    this.#entries.clear();
  }

  /** As it would be found again after a restart from the file that was written now. */
  save(): () => void {
    const saved = [...this.#entries].map(([key, { value, endsAtMs }]) => [key, copyOf(value), endsAtMs] as const);
    return () => {
      this.#entries = new Map(saved.map(([key, value, endsAtMs]) => [key, { value: copyOf(value), endsAtMs }]));
    };
  }

  get(key: string): string | null {
    const value = this.#entry(key)?.value;
    return typeof value === "string" ? value : null;
  }

  /** SET key value NX, with PX where a TTL is given. */
  setIfAbsent(key: string, value: string, ttlMs: number = Number.POSITIVE_INFINITY): "OK" | null {
    if (this.#entry(key) !== undefined) return null;
    this.#entries.set(key, { value, endsAtMs: this.#nowMs() + ttlMs });
    return "OK";
  }

  /** SET key value PX ttl */
  set(key: string, value: string, ttlMs: number): "OK" {
    this.#entries.set(key, { value, endsAtMs: this.#nowMs() + ttlMs });
    return "OK";
  }

  hset(key: string, field: string, value: string): number {
    const hash = this.#hash(key);
    if (hash === undefined) {
      this.#entries.set(key, { value: new Map([[field, value]]), endsAtMs: Number.POSITIVE_INFINITY });
      return 1;
    }
    const isNew = !hash.has(field);
    hash.set(field, value);
    return isNew ? 1 : 0;
  }

  pexpire(key: string, ttlMs: number): number {
    const entry = this.#entry(key);
    if (entry === undefined) return 0;
    entry.endsAtMs = this.#nowMs() + ttlMs;
    return 1;
  }

  /** -2: no such key; -1: it never ends. */
  pttl(key: string): number {
    const entry = this.#entry(key);
    if (entry === undefined) return -2;
    return entry.endsAtMs === Number.POSITIVE_INFINITY ? -1 : Math.ceil(entry.endsAtMs - this.#nowMs());
  }

  hget(key: string, field: string): string | null {
    return this.#hash(key)?.get(field) ?? null;
  }

  hgetall(key: string): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#hash(key) ?? []);
  }

  hvals(key: string): readonly string[] {
    return [...(this.#hash(key)?.values() ?? [])];
  }

  /** ZRANGE key 0 -1: members stand in the order in which they were written, which is that of their ends. */
  zrange(key: string): readonly string[] {
    return [...(this.#hash(key)?.keys() ?? [])];
  }

  zrem(key: string, member: string): number {
    return this.#hash(key)?.delete(member) === true ? 1 : 0;
  }

  run(script: Script, [key = "", second = "", third = ""]: readonly string[], args: Arguments): unknown {
    switch (script) {
      case scripts.presenceLeave:
        return this.#leave(key, second, third, args);
      case scripts.presenceWant:
        return this.#want(key, args);
      case scripts.connectionRegister:
        return this.#register(key, args);
      case scripts.connectionRefresh:
        return this.#refresh(key, args);
      case scripts.connectionForget:
        return this.#forget(key, args);
      case scripts.leaseRenew:
        return this.#renew(key, args);
      case scripts.leaseRelease:
        return this.get(key) === String(args[0]) && this.#entries.delete(key) ? 1 : 0;
      case scripts.rateTake:
        return this.#take(key, args);
      case scripts.nodesBeat:
        return this.#beat(key, args);
    }
    throw new Error("the simulated Redis does not know this script");
  }

  #leave(online: string, owners: string, lastSeen: string, [at, ttlMs, ...leaving]: Arguments): number {
    const held = this.#hash(owners)?.get(String(leaving[0]));
    if (held !== undefined && held !== String(leaving[1])) return -1;
    for (let index = 0; index < leaving.length; index += 2) {
      const field = String(leaving[index]);
      if (this.#hash(owners)?.get(field) === String(leaving[index + 1])) this.#hash(owners)?.delete(field);
    }
    if (held !== undefined && Number(at) >= Number(this.get(lastSeen) ?? 0)) {
      this.set(lastSeen, String(at), Number(ttlMs));
    }
    if ((this.#hash(owners)?.size ?? 0) > 0) return 0;
    this.#entries.delete(online);
    return 1;
  }

  #want(key: string, [claim, ttlMs]: Arguments): number {
    this.#beat(key, [String(claim), Number(ttlMs)]);
    return 1;
  }

  #register(key: string, [device, owner, ttlMs, instead]: Arguments): readonly [number, string] {
    const held = this.#hash(key)?.get(String(device));
    const isOther = held !== undefined && !isSameConnection(held, String(owner));
    if (isOther && !isSameConnection(held, String(instead))) return [0, held];
    this.#write(key, String(device), String(owner), Number(ttlMs));
    return [1, isOther ? held : ""];
  }

  #refresh(key: string, [device, owner, ttlMs]: Arguments): number {
    const held = this.#hash(key)?.get(String(device));
    if (held !== undefined && !isSameConnection(held, String(owner))) return 0;
    this.#write(key, String(device), String(owner), Number(ttlMs));
    return 1;
  }

  #forget(key: string, [device, owner]: Arguments): number {
    const held = this.#hash(key)?.get(String(device));
    if (held === undefined || !isSameConnection(held, String(owner))) return 0;
    this.#hash(key)?.delete(String(device));
    return 1;
  }

  #renew(key: string, [epoch, ttlMs]: Arguments): number {
    const entry = this.#entry(key);
    if (entry?.value !== String(epoch)) return entry === undefined ? 0 : -1;
    entry.endsAtMs = this.#nowMs() + Number(ttlMs);
    return 1;
  }

  #take(key: string, args: Arguments): number {
    const [now = 0, refillMs = 0, takeMs = 0] = args.map(Number);
    const stored = Number(this.get(key) ?? now);
    const known = Math.min(stored, now + refillMs);
    const full = Math.max(known, now) + takeMs;
    const waitMs = full - refillMs - now;
    if (waitMs <= 0) this.set(key, String(full), Math.ceil(full - now));
    else if (known < stored) this.set(key, String(known), Math.ceil(Math.max(1, known - now)));
    return Math.max(0, Math.ceil(waitMs));
  }

  /** Members stand in the order in which they were heard of, which is that of their ends: all live equally long. */
  #beat(key: string, [claim, ttlMs]: Arguments): readonly string[] {
    const now = this.#nowMs();
    this.#hash(key)?.delete(String(claim));
    this.#write(key, String(claim), String(now + Number(ttlMs)), Number(ttlMs));
    const members = this.#hash(key) ?? new Map<string, string>();
    for (const [member, endsAt] of members) if (Number(endsAt) <= now) members.delete(member);
    return [...members.keys()];
  }

  #write(key: string, field: string, value: string, ttlMs: number): void {
    const endsAtMs = this.#nowMs() + ttlMs;
    const hash = this.#hash(key);
    if (hash === undefined) this.#entries.set(key, { value: new Map([[field, value]]), endsAtMs });
    else {
      hash.set(field, value);
      (this.#entries.get(key) as Entry).endsAtMs = endsAtMs;
    }
  }

  #hash(key: string): Map<string, string> | undefined {
    const value = this.#entry(key)?.value;
    return typeof value === "object" ? value : undefined;
  }

  #entry(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.endsAtMs > this.#nowMs()) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}

function copyOf(value: Entry["value"]): Entry["value"] {
  return typeof value === "string" ? value : new Map(value);
}

/** node:epoch:connection, whatever the epoch. */
function isSameConnection(one: string, other: string): boolean {
  const withoutEpoch = (owner: string): string => owner.replace(/^([^:]*):[^:]*:/, "$1:");
  return withoutEpoch(one) === withoutEpoch(other);
}
