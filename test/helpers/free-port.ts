import { createSystemRandom, randomBelow } from "../../src/base/random.ts";
import { choosePort } from "../../src/stack/free-port.ts";

/**
 * A port that nobody has now: for those who have to say one before they listen, or come back to it. Not one that the system
 * gives to outgoing connections, of which there are many during a test run.
 */
export async function freePort(): Promise<number> {
  const random = createSystemRandom();
  const request = { hosts: ["127.0.0.1"], preferred: 0, anywhere: true, taken: new Set<number>() };
  return await choosePort(request, (bound) => randomBelow(random, bound));
}
