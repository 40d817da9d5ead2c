import { z } from "zod";

/** What `msgr serve --json` prints once it is ready. */
export const readyDocument = z.object({
  event: z.literal("ready"),
  url: z.string(),
  admin_url: z.string().optional(),
  profile: z.enum(["embedded", "cluster"]),
  /** Embedded profile only. */
  data_directory: z.string().optional(),
  /** Without --workers only. */
  node: z.string().optional(),
  pid: z.number(),
  /** With --workers only: `pid` is that of their supervisor. */
  workers: z.array(z.object({ pid: z.number(), node: z.string(), admin_url: z.string().optional() })).optional(),
});

export type ReadyDocument = z.infer<typeof readyDocument>;
