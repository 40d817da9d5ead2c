import { describe, expect, it } from "vitest";
import { clientAddress } from "./client-address.ts";

const sent = (forwarded: string | undefined) => ({
  headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  socket: { remoteAddress: "10.0.0.1" },
});

describe("the address of a client", () => {
  it("is that of its connection where no proxy is trusted, whatever the client says", () => {
    expect(clientAddress(sent("1.1.1.1"), 0)).toBe("10.0.0.1");
  });

  it.each([
    ["1.1.1.1", 1, "1.1.1.1"],
    ["9.9.9.9, 1.1.1.1", 1, "1.1.1.1"],
    ["9.9.9.9,1.1.1.1 , 10.0.0.2", 2, "1.1.1.1"],
    ["1.1.1.1", 2, "1.1.1.1"],
    [" , ", 1, "10.0.0.1"],
    [undefined, 1, "10.0.0.1"],
  ])("behind proxies is what the outermost trusted one saw: %s (%i)", (forwarded, proxies, address) => {
    expect(clientAddress(sent(forwarded), proxies)).toBe(address);
  });
});
