import type { Uuid } from "../../protocol/ids.ts";

/** Who calls, as the access token says. */
export interface ApiCaller {
  readonly userId: Uuid;
  readonly device: number;
  readonly familyId: Uuid;
}
