import { Faker, en } from "@faker-js/faker";
import { limits } from "../../protocol/limits.ts";

/** Enough that a list of chats looks like people; making one costs microseconds, so a million users share them. */
const namesMax = 1_024;

/** Display names by user: the same seed gives the same people. */
export function createPersonNames(seed: number): (user: number) => string {
  const faker = new Faker({ locale: [en], seed });
  const names = Array.from({ length: namesMax }, () => faker.person.fullName().slice(0, limits.displayNameLengthMax));
  return (user) => names[user % namesMax] as string;
}
