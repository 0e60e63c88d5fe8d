// A Redis Cluster: each partition in one slot, whatever the names and keys.
import { Cluster } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { entryOf, ROOT } from "../../../src/testing/store-driver.ts";
import { driverOf, ownRedis, untilAnswered } from "./harness.ts";
import { whyNoRedis } from "./servers.ts";

describe.skipIf(whyNoRedis !== undefined)("a Redis Cluster", () => {
  test("takes every operation, of each partition, and wakes who waits", async () => {
    const server = await ownRedis({ "cluster-enabled": "yes", "cluster-announce-ip": "127.0.0.1" });
    const slots = Array.from({ length: 16_384 }, (_, slot) => String(slot));
    await server.command("CLUSTER", "ADDSLOTS", ...slots);
    const client = new Cluster([{ host: "127.0.0.1", port: server.port }], { clusterRetryStrategy: () => 20 });
    client.on("error", () => undefined);
    onTestFinished(() => client.disconnect());
    const store = driverOf(client, { partitions: 4 }, "na}me{");
    await untilAnswered(() => store.info());
    for (const partition of [0, 1, 2, 3]) {
      const write = { kind: "set" as const, key: `{k}${partition}`, entry: entryOf([partition], { tags: ["t"] }) };
      expect(await store.connection.write(partition, { nonce: store.fresh(), write }, {})).toMatchObject({ seq: 1 });
      const read = { operation: "read" as const, request: { key: write.key, waitMs: 0 } };
      const drop = {
        operation: "write" as const,
        request: { nonce: store.fresh(), write: { kind: "tags" as const, tags: ["t"] } },
      };
      const reply = await store.connection.batch(partition, { items: [read, drop, read] }, {});
      expect(reply).toMatchObject({
        replies: [{ entry: { bytes: Uint8Array.of(partition) } }, { seq: 2 }, { seq: 2 }],
      });
    }
    const grant = await store.lease("k");
    const held = await store.hold("k");
    await store.commit(grant, entryOf([7]));
    expect((await held.reply).entry?.bytes?.[0]).toBe(7);
    await store.write({ kind: "tags", tags: [ROOT] });
    expect((await store.read("k")).entry).toBeUndefined();
  });
});
