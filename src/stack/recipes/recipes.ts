import type { PartName } from "../versions.ts";
import { cassandraRecipe } from "./cassandra.ts";
import { kafkaRecipe } from "./kafka.ts";
import { nginxRecipe } from "./nginx.ts";
import { postgresRecipe } from "./postgres.ts";
import type { Recipe } from "./recipe.ts";
import { redisRecipe } from "./redis.ts";
import { s3Recipe } from "./s3.ts";
import { serverRecipe } from "./server.ts";

export const recipes: Readonly<Record<PartName, Recipe>> = {
  cassandra: cassandraRecipe,
  postgres: postgresRecipe,
  redis: redisRecipe,
  kafka: kafkaRecipe,
  s3: s3Recipe,
  nginx: nginxRecipe,
  server: serverRecipe,
};
