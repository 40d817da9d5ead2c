import type { Clock } from "../../base/clock.ts";
import { refreshSession, type Session } from "./account-api.ts";
import { ApiError, requestJson, type HttpOptions, type HttpRequest } from "./http.ts";

/**
 * Exchanges the tokens of a session that others share, and keeps the new ones before it answers. Gets the session that is
 * no longer taken; rejects with ApiError.
 */
export type SessionRenewal = (stale: Session) => Promise<Session>;

/**
 * The tokens of one device. A refresh token works once, so whoever needs a new pair shares one refresh; the new pair is
 * handed to `save` before it is used, since the old one is worth nothing any more.
 */
export class SessionKeeper {
  readonly #http: HttpOptions;
  readonly #clock: Clock;
  readonly #save: (session: Session) => void | Promise<void>;
  readonly #renew: SessionRenewal | undefined;
  #session: Session;
  #refreshing: Promise<Session> | undefined = undefined;

  constructor(
    http: HttpOptions,
    clock: Clock,
    session: Session,
    save: (session: Session) => void | Promise<void>,
    renew?: SessionRenewal,
  ) {
    this.#http = http;
    this.#clock = clock;
    this.#session = session;
    this.#save = save;
    this.#renew = renew;
  }

  /** An access token that has not expired by this machine's clock. Rejects with ApiError. */
  async accessToken(): Promise<string> {
    if (this.#session.accessExpiresAt > this.#clock.nowMs() + expiryMarginMs) return this.#session.accessToken;
    // Without a refresh token the server has the last word on whether it has expired.
    if (this.#session.refreshToken === undefined) return this.#session.accessToken;
    return (await this.refresh()).accessToken;
  }

  /** Exchanges the tokens. Rejects with ApiError: temporary ones may be tried again, others mean: log in again. */
  refresh(): Promise<Session> {
    this.#refreshing ??= this.#exchange().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** A request with the token; one refusal of the token is answered with a refresh. */
  async request(request: Omit<HttpRequest, "accessToken">): Promise<unknown> {
    const accessToken = await this.accessToken();
    try {
      return await requestJson(this.#http, { ...request, accessToken });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "unauthenticated") throw error;
      const session = this.#session.accessToken === accessToken ? await this.refresh() : this.#session;
      return requestJson(this.#http, { ...request, accessToken: session.accessToken });
    }
  }

  async #exchange(): Promise<Session> {
    if (this.#renew !== undefined) {
      this.#session = await this.#renew(this.#session);
      return this.#session;
    }
    const { refreshToken } = this.#session;
    if (refreshToken === undefined) {
      throw new ApiError({
        code: "unauthenticated",
        status: 401,
        message: "The token is no longer valid, and there is none to refresh it with.",
        temporary: false,
        fix: "Log in again.",
      });
    }
    const session = await refreshSession(this.#http, refreshToken);
    this.#session = session;
    await this.#save(session);
    return session;
  }
}

const expiryMarginMs = 10_000;
