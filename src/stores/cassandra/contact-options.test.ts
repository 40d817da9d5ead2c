import { expect, it } from "vitest";
import { contactOptions } from "./contact-options.ts";

it("nodes that are only known by address are looked for at the port of the first one", () => {
  expect(contactOptions("127.0.0.1:19042,127.0.0.2:19042")).toEqual({
    contactPoints: ["127.0.0.1:19042", "127.0.0.2:19042"],
    protocolOptions: { port: 19_042 },
  });
});
