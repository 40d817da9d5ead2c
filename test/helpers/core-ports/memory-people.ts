import { defaultSettings, type ConversationSettings, type User, type UserSettings } from "../../../src/core/model.ts";
import type { Contact, Relations } from "../../../src/core/ports/relations.ts";
import type { ConversationSettingsStore, NewUser, ProfilePatch, Users } from "../../../src/core/ports/users.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { fairWeather, under, type Weather } from "./weather.ts";

export class MemoryUsers implements Users {
  weather: Weather;
  readonly #users = new Map<Uuid, User>();
  readonly #hashes = new Map<Uuid, string>();

  constructor(weather: Weather = fairWeather()) {
    this.weather = weather;
  }

  create(users: readonly NewUser[]): Promise<readonly string[]> {
    return under(this.weather, "users.create", () => {
      const known = new Set([...this.#users.values()].map((user) => user.handle.toLowerCase()));
      const taken = users.flatMap(({ handle }) => {
        const before = known.size;
        return known.add(handle.toLowerCase()).size === before ? [handle] : [];
      });
      if (taken.length === 0) for (const user of users) this.put(user);
      return taken;
    });
  }

  /** At once and without weather. */
  put({ passwordHash, ...user }: NewUser): void {
    this.#users.set(user.userId, { ...user, statusMessage: "", lastLoginAt: 0, settings: defaultSettings });
    if (passwordHash !== undefined) this.#hashes.set(user.userId, passwordHash);
  }

  byId(userId: Uuid): Promise<User | undefined> {
    return under(this.weather, "users.byId", () => this.#users.get(userId));
  }

  byHandle(handle: string): Promise<User | undefined> {
    return under(this.weather, "users.byHandle", () =>
      [...this.#users.values()].find((user) => user.handle.toLowerCase() === handle.toLowerCase()),
    );
  }

  passwordHash(userId: Uuid): Promise<string | undefined> {
    return under(this.weather, "users.passwordHash", () => this.#hashes.get(userId));
  }

  replacePasswordHash(userId: Uuid, current: string, next: string): Promise<boolean> {
    return under(this.weather, "users.replacePasswordHash", () => {
      if (this.#hashes.get(userId) !== current) return false;
      this.#hashes.set(userId, next);
      return true;
    });
  }

  update(userId: Uuid, profile: ProfilePatch, settings: Partial<UserSettings>): Promise<User | undefined> {
    return under(this.weather, "users.update", () => {
      const user = this.#users.get(userId);
      if (user === undefined) return undefined;
      const updated: User = { ...user, ...profile, settings: { ...user.settings, ...settings } };
      this.#users.set(userId, updated);
      return updated;
    });
  }
}

export class MemoryRelations implements Relations {
  weather: Weather;
  readonly #contacts = new Map<Uuid, Map<Uuid, Contact>>();
  readonly #blocks = new Map<Uuid, Set<Uuid>>();
  readonly #max: { readonly contacts: number; readonly blocks: number };

  constructor(
    weather: Weather = fairWeather(),
    max: { readonly contacts: number; readonly blocks: number } = {
      contacts: limits.contactsPerUserMax,
      blocks: limits.blocksPerUserMax,
    },
  ) {
    this.weather = weather;
    this.#max = max;
  }

  contacts(ownerId: Uuid): Promise<readonly Contact[]> {
    return under(this.weather, "relations.contacts", () => [...(this.#contacts.get(ownerId)?.values() ?? [])]);
  }

  putContact(ownerId: Uuid, contact: Contact | { readonly remove: Uuid }): Promise<boolean> {
    return under(this.weather, "relations.putContact", () => {
      const contacts = this.#contacts.get(ownerId) ?? new Map<Uuid, Contact>();
      this.#contacts.set(ownerId, contacts);
      if ("remove" in contact) {
        contacts.delete(contact.remove);
        return true;
      }
      if (!contacts.has(contact.userId) && contacts.size >= this.#max.contacts) return false;
      contacts.set(contact.userId, contact);
      return true;
    });
  }

  blocks(ownerId: Uuid): Promise<readonly Uuid[]> {
    return under(this.weather, "relations.blocks", () => [...(this.#blocks.get(ownerId) ?? [])]);
  }

  putBlock(ownerId: Uuid, otherId: Uuid, blocked: boolean): Promise<boolean> {
    return under(this.weather, "relations.putBlock", () => {
      const blocks = this.#blocks.get(ownerId) ?? new Set<Uuid>();
      this.#blocks.set(ownerId, blocks);
      if (!blocked) {
        blocks.delete(otherId);
        return true;
      }
      if (!blocks.has(otherId) && blocks.size >= this.#max.blocks) return false;
      blocks.add(otherId);
      return true;
    });
  }

  between(ownerId: Uuid, otherId: Uuid): Promise<{ readonly contact: boolean; readonly blocked: boolean }> {
    return under(this.weather, "relations.between", () => ({
      contact: this.#contacts.get(ownerId)?.has(otherId) ?? false,
      blocked: this.#blocks.get(ownerId)?.has(otherId) ?? false,
    }));
  }
}

export class MemoryConversationSettings implements ConversationSettingsStore {
  weather: Weather;
  readonly #settings = new Map<Uuid, Map<Uuid, ConversationSettings>>();

  constructor(weather: Weather = fairWeather()) {
    this.weather = weather;
  }

  all(userId: Uuid): Promise<readonly ConversationSettings[]> {
    return under(this.weather, "settings.all", () => [...(this.#settings.get(userId)?.values() ?? [])]);
  }

  write(userId: Uuid, settings: ConversationSettings): Promise<void> {
    return under(this.weather, "settings.write", () => {
      const all = this.#settings.get(userId) ?? new Map<Uuid, ConversationSettings>();
      this.#settings.set(userId, all.set(settings.conversationId, settings));
    });
  }
}
