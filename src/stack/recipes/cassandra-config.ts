import path from "node:path";

export interface CassandraConfigOptions {
  readonly host: string;
  readonly nativePort: number;
  readonly storagePort: number;
  readonly seed: string;
  readonly data: string;
}

export const rackProperties = "dc=dc1\nrack=r1\n";

/**
 * cassandra.yaml of a node. JSON is YAML, and quotes whatever a path may hold. `batch` acknowledges after the flush of
 * the commit log, and 256 writers let many waits share one: measured, it is the fastest of the durable ways. Paxos v2
 * needs one round trip less for each conditional write.
 */
export function cassandraConfig({ host, nativePort, storagePort, seed, data }: CassandraConfigOptions): string {
  const config = {
    cluster_name: "msgr",
    num_tokens: 16,
    partitioner: "org.apache.cassandra.dht.Murmur3Partitioner",
    seed_provider: [
      {
        class_name: "org.apache.cassandra.locator.SimpleSeedProvider",
        parameters: [{ seeds: `${seed}:${storagePort}` }],
      },
    ],
    // The nodes of a new cluster hold nothing that could be handed over.
    auto_bootstrap: false,
    // The first of a cluster that was stopped finds none of the others, however long it looks.
    block_for_peers_timeout_in_secs: 1,
    listen_address: host,
    rpc_address: host,
    native_transport_port: nativePort,
    storage_port: storagePort,
    endpoint_snitch: "GossipingPropertyFileSnitch",
    commitlog_sync: "batch",
    concurrent_writes: 256,
    paxos_variant: "v2",
    memtable_allocation_type: "offheap_objects",
    sstable: { selected_format: "bti" },
    storage_compatibility_mode: "NONE",
    data_file_directories: [path.join(data, "data")],
    commitlog_directory: path.join(data, "commitlog"),
    saved_caches_directory: path.join(data, "saved_caches"),
    hints_directory: path.join(data, "hints"),
    cdc_raw_directory: path.join(data, "cdc_raw"),
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
