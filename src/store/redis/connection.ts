// The connection of one cache to Redis: one command an operation, and what it must know to send it.
import { OptionError, StoreError } from "../../errors.ts";
import type { Platform } from "../../platform.ts";
import { checkBounds } from "../check.ts";
import { MAX_BATCH_ITEMS } from "../contract.ts";
import type {
  Answer,
  BatchItemReply,
  BatchReply,
  CallOptions,
  Moved,
  Position,
  Stamp,
  StoreConnection,
} from "../contract.ts";
import type { ReplyOf, RequestOf } from "../wire.ts";
import { decodeStep, textOf } from "./replies.ts";
import { ownBus } from "./own-bus.ts";
import { baseOf, encodeSteps } from "./requests.ts";
import type { RedisLimits, Step } from "./requests.ts";
import { EPOCH_LENGTH } from "./script-facts.ts";
import { script } from "./script.ts";
import { lines, toText } from "./text.ts";
import type { RedisReply, RedisTransport } from "./transport.ts";
import { createWaiting } from "./waiting.ts";

/** What a connection needs. */
export interface RedisConnectionOptions {
  readonly transport: RedisTransport;
  readonly name: string;
  readonly platform: Platform;
  readonly prefix: string;
  readonly partitions: number;
  readonly limits: RedisLimits;
  readonly bus: boolean;
  readonly publishes?: boolean;
  readonly pollBudget?: number;
}

const digits = (number: number, length: number): string => Math.floor(number).toString(36).padStart(length, "0");

const MOVED: Moved = { moved: true };

/** What nobody waits for is given up after this. */
const RELEASE_MS = 1_000;

/** Asks the script for the server's incarnation. */
const UNKNOWN = "?";

/** The server's text, without what it repeats of a command: that may be a password. Nothing of the client's error is kept. */
function failure(cause: unknown): Error {
  if (cause instanceof OptionError) return cause;
  const text = (cause instanceof Error ? cause.message : String(cause)).split(", with args")[0] ?? "";
  return new StoreError(`Redis failed: ${text}`);
}

/** Connects one cache. Does no I/O until it is asked something. */
export function connectRedis(options: RedisConnectionOptions): StoreConnection {
  const { transport, name, platform, limits, prefix } = options;
  const { preludes } = transport;
  const bus = options.bus && transport.subscribe !== undefined;
  const { publishes = bus, pollBudget = Infinity } = options;
  let count = options.partitions;

  // The incarnation each partition was last seen in. One that may have changed is asked for again.
  const incarnations = new Map<number, string>();
  let losses = 0;
  const detach = transport.onLost?.(() => {
    losses++;
    incarnations.clear();
  });

  // Unique: drawn when first needed, then counted on.
  let identity = "";
  let drawn = 0;
  const newEpoch = (): string => {
    identity ||= [0, 0].map(() => digits(platform.random() * 36 ** 8, 8)).join("");
    return identity + digits(drawn++, EPOCH_LENGTH - 16);
  };

  const bases: string[] = [];
  const baseAt = (partition: number): string => (bases[partition] ??= baseOf(prefix, name, partition));

  // The first prelude that was not refused.
  let taken = 0;
  const teach = async (args: (string | Uint8Array)[], signal: AbortSignal | undefined): Promise<RedisReply> => {
    const tried = taken;
    const [, ...texts] = preludes[tried]!;
    try {
      return await transport.send(["EVAL", texts.join("") + script, ...args], signal);
    } catch (cause) {
      // Read as an error of the script's first line: nothing was done.
      if (tried + 1 >= preludes.length || !/shebang|compil|unexpected symbol/i.test(String(cause))) throw cause;
      taken = tried + 1;
      return teach(args, signal);
    }
  };

  const run = async (
    args: (string | Uint8Array)[],
    signal: AbortSignal | undefined,
  ): Promise<readonly RedisReply[]> => {
    let reply: RedisReply;
    try {
      try {
        reply = await transport.send(["EVALSHA", preludes[taken]![0], ...args], signal);
      } catch (cause) {
        if (!String(cause).includes("NOSCRIPT")) throw cause;
        reply = await teach(args, signal);
      }
      if (Array.isArray(reply)) return reply as readonly RedisReply[];
      throw new Error("not the reply of the script");
    } catch (cause) {
      incarnations.clear();
      throw failure(cause);
    }
  };

  /**
   * Does steps in one partition. Role of the caller: partition 0 is the first and says how many there are; to another one,
   * "" leaves it to that to notice a difference, and then "sure" says that partition 0 was asked. `believed`: the number of
   * partitions by which the caller has chosen this one; what another answer tells meanwhile does not make it another one:
   *   write to 1 of 2 | a read is told that there is 1 | write: "ask" -> partition 0 agrees with 1 -> done in one that nobody reads
   */
  const ask = async (
    partition: number,
    steps: readonly Step[],
    witness: Position | undefined,
    call: CallOptions,
    believed = count,
    role = partition === 0 ? "first" : "",
  ): Promise<readonly (Stamp | { readonly error: string })[] | Moved> => {
    const base = baseAt(partition);
    const known = transport.incarnation ? (incarnations.get(partition) ?? UNKNOWN) : "";
    const lossesBefore = losses;
    const head = [
      `${believed}\n${known}`,
      witness ? `${witness.epoch}\n${witness.seq}\n${toText(witness.tip)}` : "",
      lines(publishes ? base : "", newEpoch(), role),
    ];
    const replies = await run(encodeSteps(base, head, steps, limits), call.signal);
    if (losses !== lossesBefore && known !== UNKNOWN && known !== "") {
      // The client may have sent it over a new connection, to a server that had lost what `known` does not show:
      //   sent with the incarnation of A -> A fails -> resent to B, restored from a copy of A -> "nothing changed".
      throw new StoreError("The connection to Redis was lost");
    }
    const [first = "", recorded] = textOf(replies[0]).split("\n");
    if (first === "moved") {
      count = Number(recorded);
      return MOVED;
    }
    if (first === "ask") {
      const answer = await ask(0, [{ operation: "info" }], undefined, call, believed);
      return "moved" in answer ? answer : ask(partition, steps, witness, call, believed, "sure");
    }
    const decoded = replies.map((reply, index) => decodeStep(steps[index]?.operation, reply));
    const told = decoded[0]?.incarnation;
    if (told && losses === lossesBefore) incarnations.set(partition, told);
    return decoded.map(({ reply }) => reply);
  };

  const one = async <Name extends Step["operation"]>(
    partition: number,
    operation: Name,
    request: RequestOf<Name>,
    call: CallOptions,
    believed = count,
  ): Answer<ReplyOf<Name>> => {
    checkBounds(request);
    const step = { operation, request } as unknown as Step; // they fit
    const answer = await ask(partition, [step], request.witness, call, believed);
    if ("moved" in answer) return answer;
    const [reply] = answer;
    if (reply === undefined || "error" in reply) throw new StoreError(`Redis refused: ${reply?.error}`);
    return reply as ReplyOf<Name>; // of this operation
  };
  const doing =
    <Name extends Step["operation"]>(operation: Name) =>
    (partition: number, request: RequestOf<Name>, call: CallOptions): Answer<ReplyOf<Name>> =>
      one(partition, operation, request, call);

  const batch: StoreConnection["batch"] = async (partition, { items, witness }, call) => {
    if (items.length < 1 || items.length > MAX_BATCH_ITEMS) throw new StoreError("The batch is out of bounds");
    // What is out of bounds concerns the others as little as if it had come alone.
    const errors = items.map(({ request }) => {
      try {
        checkBounds(request);
        return undefined;
      } catch (error) {
        return { error: String(error) };
      }
    });
    const steps = items.filter((_, index) => errors[index] === undefined);
    const answer = steps.length > 0 ? await ask(partition, steps, witness, call) : [];
    if ("moved" in answer) return answer;
    const replies: BatchItemReply[] = [];
    let next = 0;
    for (const error of errors) {
      const reply = error ?? answer[next++];
      if (reply === undefined) break;
      replies.push(reply);
    }
    return { replies } satisfies BatchReply;
  };

  const waiting = createWaiting({
    platform,
    budget: pollBudget,
    subscribe: (partition, events) => (bus ? transport.subscribe?.(baseAt(partition), events) : undefined),
    reader:
      (believed = count) =>
      (partition, request, call) =>
        one(partition, "read", request, call, believed),
    release(partition, key, token) {
      const request = { key, token, backoffMs: 0 };
      const ending = new AbortController();
      const timer = platform.setTimeout(() => ending.abort(), RELEASE_MS); // nobody else ends it
      one(partition, "release", request, { signal: ending.signal })
        .catch(() => undefined)
        .finally(() => platform.clearTimeout(timer));
    },
  });

  const listen = bus ? transport.subscribe : undefined;
  return {
    get partitions() {
      return count;
    },
    ...(listen && {
      bus: ownBus(
        transport,
        () => count,
        (partition, events) => listen(baseAt(partition), events),
      ),
    }),
    heldReadsPerRequest: Infinity,
    read: waiting.read,
    commit: doing("commit"),
    renew: doing("renew"),
    release: doing("release"),
    write: doing("write"),
    batch,
    changesSince: doing("changesSince"),
    info: (partition, call) => one(partition, "info", {}, call),
    close() {
      detach?.();
      return waiting.close();
    },
  };
}
