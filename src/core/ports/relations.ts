import type { Uuid } from "../../protocol/ids.ts";

export interface Contact {
  readonly userId: Uuid;
  /** The name the owner gave; may be empty. */
  readonly name: string;
}

/**
 * Who has whom as a contact and who blocks whom. All directed: owner → other.
 * Writes are idempotent and durable when they resolve; answer false when the owner's limit is reached.
 * Errors: WireError `store_unavailable`, `storage_full`.
 */
export interface Relations {
  contacts(ownerId: Uuid): Promise<readonly Contact[]>;
  putContact(ownerId: Uuid, contact: Contact | { readonly remove: Uuid }): Promise<boolean>;
  blocks(ownerId: Uuid): Promise<readonly Uuid[]>;
  putBlock(ownerId: Uuid, otherId: Uuid, blocked: boolean): Promise<boolean>;
  /** How `ownerId` relates to `otherId`, in one read. */
  between(ownerId: Uuid, otherId: Uuid): Promise<{ readonly contact: boolean; readonly blocked: boolean }>;
}
