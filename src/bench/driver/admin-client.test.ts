import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { AdminClient } from "./admin-client.ts";

async function sampleOf(text: string): Promise<unknown> {
  await using server = createServer((_request, response) => void response.end(text)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const admin = new AdminClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, "token");
  try {
    return await admin.sample();
  } finally {
    admin.close();
  }
}

test("a reading has what the metrics say, and no large group's jobs where there are none", async () => {
  const lines = [
    "process_cpu_seconds 1.5",
    "process_resident_memory_bytes 1000",
    'msgr_queue_entries{queue="frames"} 3',
    'msgr_queue_bytes{queue="clients"} 40',
  ];
  expect(await sampleOf(`${lines.join("\n")}\n`)).toEqual({
    cpuSeconds: 1.5,
    rssBytes: 1_000,
    queues: { entries: { frames: 3, fan_out_jobs: 0 }, bytes: { clients: 40 } },
  });
});

test("what has no metrics of ours gives no reading, rather than one of 0", async () => {
  await expect(sampleOf("<html>somebody else</html>")).rejects.toThrow("process_cpu_seconds");
});
