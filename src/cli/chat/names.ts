import { readFile } from "node:fs/promises";
import { z } from "zod";
import { uuidField } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { ApiError } from "../../client/runtime/http.ts";
import { writePrivately } from "../accounts/account-file.ts";
import type { AccountApi } from "./account-api.ts";

/** Who and what an id is called. */
export interface NameSource {
  /** The handle of a user; undefined when it cannot be told. */
  user(userId: Uuid): Promise<string | undefined>;
  group(groupId: Uuid): Promise<string | undefined>;
}

const fileSchema = z.object({ users: z.record(uuidField, z.string()), groups: z.record(uuidField, z.string()) });
/** More are asked for again when they are needed again. */
const namesMax = 10_000;

/**
 * Names by id, asked for once and kept in a file, so that messages have names when the server is away. Handles never
 * change; groups do, so theirs are told anew by whoever sees a change (`learnGroup`).
 */
export class Names implements NameSource {
  readonly #api: AccountApi;
  readonly #file: string;
  readonly #users: Map<Uuid, string>;
  readonly #groups: Map<Uuid, string>;
  #changed = false;

  constructor(api: AccountApi, file: string, kept: z.infer<typeof fileSchema>) {
    this.#api = api;
    this.#file = file;
    this.#users = new Map(Object.entries(kept.users));
    this.#groups = new Map(Object.entries(kept.groups));
    this.#users.set(api.account.user_id, api.account.handle);
  }

  static async open(api: AccountApi, file: string): Promise<Names> {
    const text = await readFile(file, "utf8").catch(() => "");
    return new Names(api, file, parseKept(text));
  }

  user(userId: Uuid): Promise<string | undefined> {
    return this.#find(this.#users, userId, async () => (await this.#api.directory.user(userId)).handle);
  }

  group(groupId: Uuid): Promise<string | undefined> {
    return this.#find(this.#groups, groupId, async () => (await this.#api.directory.group(groupId)).name);
  }

  learnUser(userId: Uuid, handle: string): void {
    this.#learn(this.#users, userId, handle);
  }

  learnGroup(groupId: Uuid, name: string): void {
    this.#learn(this.#groups, groupId, name);
  }

  /** Keeps what was learnt. A cache: that it cannot be written is no reason to fail. */
  async save(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    const content = { users: Object.fromEntries(this.#users), groups: Object.fromEntries(this.#groups) };
    await writePrivately(this.#file, JSON.stringify(content)).catch(() => undefined);
  }

  async #find(names: Map<Uuid, string>, id: Uuid, ask: () => Promise<string>): Promise<string | undefined> {
    const known = names.get(id);
    if (known !== undefined) return known;
    try {
      const name = await ask();
      this.#learn(names, id, name);
      return name;
    } catch (error) {
      if (error instanceof ApiError) return undefined;
      throw error;
    }
  }

  #learn(names: Map<Uuid, string>, id: Uuid, name: string): void {
    if (names.get(id) === name) return;
    if (names.size >= namesMax) names.delete(names.keys().next().value as Uuid);
    names.set(id, name);
    this.#changed = true;
  }
}

function parseKept(text: string): z.infer<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch {
    return { users: {}, groups: {} };
  }
}
