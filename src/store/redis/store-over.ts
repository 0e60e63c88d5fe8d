// A store over any transport: what all kinds of Redis stores share.
import { OptionError } from "../../errors.ts";
import type { Platform } from "../../platform.ts";
import type { Store } from "../contract.ts";
import { wholeNumber } from "../whole-number.ts";
import { MAX_PARTITIONS, PROTOCOL } from "../wire.ts";
import { connectRedis } from "./connection.ts";
import type { RedisConnectionOptions } from "./connection.ts";
import type { RedisTransport } from "./transport.ts";

/** Options of `redisStore`. */
export interface RedisStoreOptions {
  /**
   * Into how many parts the keys of a cache are spread, 1 to 1,024; default 1. In Redis Cluster each lies in one slot. The
   * number that the first request ever recorded stays, and all instances adopt it: to change it, take another cache name.
   */
  readonly partitions?: number;
  /** What all keys begin with. Default "isocache:". The protocol's number follows it. */
  readonly prefix?: string;
  /** How many invalidated tags a partition remembers; beyond, tagged entries that are older go. Default 10,000. */
  readonly maxTags?: number;
  /** How many invalidations a partition remembers, for those who missed them. Default 1,000. */
  readonly maxLogRecords?: number;
  /**
   * Whether the store is its own bus: what one instance invalidates, the others hear of by Pub/Sub, and so those who wait for
   * another one's load hear of its end; over a duplicate of the client that is opened when first needed, shared by all caches
   * on that client, and ended by the last `close`. Without it instances learn within `maxStaleness`, and those who wait look
   * again and again, at last every 250 ms. Default true.
   */
  readonly bus?: boolean;
}

/** A store over any transport. Throws an OptionError for a wrong option. */
export function storeOver(
  kind: string,
  open: (platform: Platform) => RedisTransport,
  options: RedisStoreOptions,
  more: Pick<RedisConnectionOptions, "publishes" | "pollBudget"> = {},
): Store {
  const whole = (name: "partitions" | "maxTags" | "maxLogRecords", fallback: number, max: number): number =>
    wholeNumber(`${kind}Store: ${name}`, options[name], fallback, max);
  const { prefix = "isocache:", bus = true } = options;
  if (typeof prefix !== "string" || /[{}\p{Cc}]/u.test(prefix)) {
    throw new OptionError(
      `${kind}Store: prefix is ${String(prefix)}; it takes a string without braces and control characters`,
    );
  }
  if (typeof bus !== "boolean") throw new OptionError(`${kind}Store: bus is ${String(bus)}; it takes true or false`);
  const partitions = whole("partitions", 1, MAX_PARTITIONS);
  const limits = {
    maxTags: whole("maxTags", 10_000, 10_000_000),
    maxLogRecords: whole("maxLogRecords", 1_000, 1_000_000),
  };
  return {
    kind,
    connect: ({ name, platform }) =>
      connectRedis({
        ...more,
        transport: open(platform),
        name,
        platform,
        prefix: `${prefix}${PROTOCOL}:`,
        partitions,
        limits,
        bus,
      }),
  };
}
