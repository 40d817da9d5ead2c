import type { Audience, UserSettings } from "../model.ts";

/** What a user may keep from others. `lastSeen` covers being online as well; `groups` is being added to a group. */
export type PrivateThing = "lastSeen" | "profilePhoto" | "about" | "groups";

/** How the one who asks stands to the owner. `contact`: the OWNER has that user as a contact. */
export type Standing = "self" | "contact" | "stranger" | "blocked";

/** The whole of privacy: who passes which setting. The same for every private thing. */
const passes: Readonly<Record<Audience, Readonly<Record<Standing, boolean>>>> = {
  everyone: { self: true, contact: true, stranger: true, blocked: false },
  contacts: { self: true, contact: true, stranger: false, blocked: false },
  nobody: { self: true, contact: false, stranger: false, blocked: false },
};

export function mayUse(settings: Pick<UserSettings, PrivateThing>, thing: PrivateThing, standing: Standing): boolean {
  return passes[settings[thing]][standing];
}

/**
 * A block works both ways: who blocks somebody learns as little about that user as that user learns in return. Otherwise
 * blocking would be a way to watch unseen.
 */
export function standingOf(
  ownerToViewer: { readonly contact: boolean; readonly blocked: boolean },
  viewerToOwner: { readonly blocked: boolean },
): Standing {
  if (ownerToViewer.blocked || viewerToOwner.blocked) return "blocked";
  return ownerToViewer.contact ? "contact" : "stranger";
}
