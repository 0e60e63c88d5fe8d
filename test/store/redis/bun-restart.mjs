// Run by Bun: a restart from an old snapshot, of which its client tells only that it connected again.
import { RedisClient } from "bun";
import { defaultPlatform } from "../../../src/default-platform.ts";
import { redisStore } from "../../../src/store/redis.ts";
import { entryOf, storeDriver } from "../../../src/testing/store-driver.ts";
import { startRedis } from "../../support/redis.ts";

const server = await startRedis();
const [client, other] = [new RedisClient(server.url), new RedisClient(server.url)];
let connected = 0;
client.onconnect = () => void connected++;
const [here, there] = [client, other].map((each) =>
  storeDriver({
    store: redisStore(each),
    platform: defaultPlatform(),
    advance: (durationMs) => Bun.sleep(durationMs),
    close: async () => undefined,
  }),
);
const { epoch, seq, tip } = await here.set("k", entryOf([1]));
await server.command("SAVE");
await there.write({ kind: "delete", key: "k" });
await server.restart();
for (let tries = 0; tries < 100; tries++) {
  try {
    const reply = await here.read("k", { witness: { epoch, seq, tip } });
    console.log(reply.entry === undefined && reply.epoch !== epoch && connected === 2 ? "a new epoch" : "resurrected");
    break;
  } catch {
    await Bun.sleep(20); // it is not yet back
  }
}
for (const driver of [here, there]) await driver.connection.close();
for (const each of [client, other]) each.close();
await server.close();
