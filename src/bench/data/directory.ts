import { present } from "../../base/assert.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import type { Population } from "./population.ts";

/**
 * Between the numbers of a population and the ids of one run. Ids are the server's (users) or drawn for the run (groups),
 * so that one server can see the same seed twice.
 */
export interface DirectoryIds {
  /** By user. */
  readonly userIds: readonly Uuid[];
  /** By group. */
  readonly groupIds: readonly Uuid[];
}

export class Directory {
  readonly #population: Population;
  readonly #ids: DirectoryIds;
  readonly #userNumbers: ReadonlyMap<Uuid, number>;
  readonly #conversationNumbers = new Map<Uuid, number>();
  readonly #conversationIds = new Map<number, Uuid>();

  /** Knows the conversations that have a member for whom `knows` holds. */
  constructor(population: Population, ids: DirectoryIds, knows: (user: number) => boolean) {
    this.#population = population;
    this.#ids = ids;
    this.#userNumbers = new Map(ids.userIds.map((id, user) => [id, user]));
    for (let conversation = 0; conversation < population.conversationCount; conversation++) {
      if (!population.membersOf(conversation).some(knows)) continue;
      const id = this.#makeConversationId(conversation);
      this.#conversationIds.set(conversation, id);
      this.#conversationNumbers.set(id, conversation);
    }
  }

  userId(user: number): Uuid {
    return present(this.#ids.userIds[user], "user");
  }

  /** Undefined for somebody who is not of this run. */
  userNumber(id: Uuid): number | undefined {
    return this.#userNumbers.get(id);
  }

  conversationId(conversation: number): Uuid {
    return present(this.#conversationIds.get(conversation), "a known conversation");
  }

  conversationNumber(id: Uuid): number | undefined {
    return this.#conversationNumbers.get(id);
  }

  #makeConversationId(conversation: number): Uuid {
    const population = this.#population;
    if (!population.isDirect(conversation)) {
      return present(this.#ids.groupIds[conversation - population.directCount], "group");
    }
    const [one, other] = population.directPeers(conversation);
    return directConversationId(this.userId(one), this.userId(other));
  }
}
