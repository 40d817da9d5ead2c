import { expect } from "vitest";
import type { ServerProcess } from "./server-process.ts";

/** The value of one metric of a server, 0 if it has none; `name` with its labels, as it is printed. */
export async function metricOf(server: ServerProcess, name: string): Promise<number> {
  const response = await server.admin("GET", "/metrics");
  expect(response.status).toBe(200);
  const line = (await response.text()).split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.split(" ")[1] ?? 0);
}
