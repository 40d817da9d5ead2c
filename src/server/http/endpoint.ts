import type { z } from "zod";
import type { ApiCaller } from "./caller.ts";
import type { ApiServices } from "./services.ts";
import type { RateRules } from "../rate-rules.ts";

export interface ApiRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Address of the client, for rate limits only. */
  readonly address: string;
  /** The server as the caller called it: `http://host:port`. Only ever told back to the same caller. */
  readonly origin: string;
}

interface Shape<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType, Answer extends z.ZodType> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path with `:name` parameters. */
  readonly url: string;
  readonly summary: string;
  /** Counted for the caller, together with the frames of the same rule; default: `request`. */
  readonly rule?: keyof RateRules;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Status of success; 204 answers have no body. */
  readonly status: 200 | 201 | 204;
  readonly answer?: Answer;
}

type Handler<
  Caller,
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> = (
  services: ApiServices,
  caller: Caller,
  request: ApiRequest<z.output<Params>, z.output<Query>, z.output<Body>>,
) => Promise<z.input<Answer> | undefined>;

/** One HTTP operation. The types of the schemas are erased here, so that a table of all of them can be walked. */
export interface Endpoint extends Shape<z.ZodType, z.ZodType, z.ZodType, z.ZodType> {
  readonly public: boolean;
  handle(
    services: ApiServices,
    caller: ApiCaller | undefined,
    request: ApiRequest<unknown, unknown, unknown>,
  ): Promise<unknown>;
}

/** An operation for whoever holds an access token. */
export function endpoint<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType>(
  shape: Shape<P, Q, B, A>,
  handle: Handler<ApiCaller, P, Q, B, A>,
): Endpoint {
  return { ...shape, public: false, handle: handle };
}

/** An operation that needs no token. */
export function publicEndpoint<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType>(
  shape: Shape<P, Q, B, A>,
  handle: Handler<undefined, P, Q, B, A>,
): Endpoint {
  return { ...shape, public: true, handle: handle };
}
