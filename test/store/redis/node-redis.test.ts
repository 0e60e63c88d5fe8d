// What node-redis does that no real cluster does on demand: one whose duplicate finds no node at first.
import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { nodeRedisTransport } from "../../../src/store/redis/node-redis.ts";
import type { NodeRedisCluster } from "../../../src/store/redis/node-redis.ts";

/** A duplicate that connects when it is let, and says so as node-redis does. */
class Duplicate extends EventEmitter {
  isOpen = false;
  tries = 0;
  readonly channels: string[] = [];
  hasNodes = false;

  async connect(): Promise<void> {
    this.tries++;
    if (!this.hasNodes) throw new Error("None of the root nodes is available");
    this.isOpen = true;
    this.emit("connect");
  }

  async subscribe(channel: string): Promise<void> {
    this.channels.push(channel);
  }

  async unsubscribe(): Promise<void> {
    return undefined;
  }

  destroy(): void {
    this.isOpen = false;
  }
}

test("a subscription that found no node of the cluster begins when the client has found one", async () => {
  const duplicate = new Duplicate();
  const client: NodeRedisCluster = Object.assign(new EventEmitter(), {
    sendCommand: async () => null,
    nodeClient: () => undefined,
    duplicate: () => duplicate,
  });
  const states: boolean[] = [];
  const events = { message: () => undefined, state: (up: boolean) => void states.push(up) };
  const subscription = nodeRedisTransport(client).subscribe?.("channel", events);
  await expect.poll(() => duplicate.tries).toBe(1);
  expect(states).toEqual([]);

  duplicate.hasNodes = true;
  (client as unknown as EventEmitter).emit("node-ready"); // it is one
  await expect.poll(() => states).toEqual([true]);
  expect(duplicate.channels).toEqual(["channel"]);
  (client as unknown as EventEmitter).emit("node-ready");
  expect(duplicate.tries).toBe(2); // it is connected

  await subscription?.close();
  expect(duplicate.isOpen).toBe(false);
  expect((client as unknown as EventEmitter).eventNames()).toEqual([]);
});
