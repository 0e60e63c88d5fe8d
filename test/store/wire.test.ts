// The wire carries every request and reply unchanged, and nothing malformed gets through.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StoreError } from "../../src/errors.ts";
import { FOREVER } from "../../src/store/contract.ts";
import type { BatchItem, BatchItemReply, WriteRequest } from "../../src/store/contract.ts";
import { decodeCall, decodeOutcome, encodeCall, encodeOutcome, PROTOCOL } from "../../src/store/wire.ts";
import type { Call, Operation, Outcome } from "../../src/store/wire.ts";

const text = fc.string({ unit: "binary", maxLength: 12 });
const name = fc.oneof(text, fc.constantFrom("__proto__", "constructor", "\u0000", "\ud800", "😀", '"]'));
const count = fc.oneof(fc.nat(), fc.constantFrom(0, FOREVER, -1, 0.5));
const value = fc.uint8Array({ maxLength: 40 });
const position = fc.record({ epoch: name, seq: count, tip: name });
const stamp = { epoch: name, seq: count, tip: name, time: count };
const witnessed = { witness: position };
const meta = {
  ttlMs: count,
  staleWhileRevalidateMs: count,
  staleIfErrorMs: count,
  tags: fc.array(name, { maxLength: 3 }),
  etag: name,
  lastModified: name,
};
const metaKeys = ["ttlMs", "staleWhileRevalidateMs", "staleIfErrorMs", "tags"] as const;
const left = { freshForMs: count };
const leftKeys = ["freshForMs"] as const;
const stampKeys = ["epoch", "seq", "tip", "time"] as const;
const newEntry = fc.record({ ...meta, bytes: value }, { requiredKeys: [...metaKeys, "bytes"] });
const kept = fc.record({ ...meta, keep: name }, { requiredKeys: [...metaKeys, "keep"] });
const leased = { ...witnessed, key: name, token: name };
const logRecord = fc.record(
  { seq: count, nonce: name, expire: fc.boolean(), key: name, tags: fc.array(name), agoMs: count },
  { requiredKeys: ["seq", "nonce", "expire", "agoMs"] },
);
const found = fc.record(
  { ...meta, id: name, version: count, ageMs: count, ...left, bytes: value },
  { requiredKeys: [...metaKeys, "id", "version", "ageMs", ...leftKeys] },
);
const write = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), key: name, entry: newEntry }),
  fc.record({ kind: fc.constantFrom("delete" as const, "expire" as const), key: name }),
  fc.record({ kind: fc.constantFrom("tags" as const, "expireTags" as const), tags: fc.array(name) }),
);

const requests = {
  read: fc.record(
    {
      ...witnessed,
      key: name,
      lease: fc.record({ token: name, leaseMs: count, scopes: fc.array(name) }),
      refresh: name,
      hold: name,
      waitMs: count,
    },
    { requiredKeys: ["key", "waitMs"] },
  ),
  commit: fc.record(
    { ...leased, epoch: name, version: count, deadline: count, entry: fc.oneof(newEntry, kept) },
    { requiredKeys: ["key", "token", "epoch", "version", "entry"] },
  ),
  renew: fc.record({ ...leased, leaseMs: count }, { requiredKeys: ["key", "token", "leaseMs"] }),
  release: fc.record({ ...leased, backoffMs: count }, { requiredKeys: ["key", "token", "backoffMs"] }),
  write: fc.record({ ...witnessed, write, nonce: name, deadline: count }, { requiredKeys: ["write", "nonce"] }),
  changesSince: fc.record({ ...witnessed, since: position }, { requiredKeys: ["since"] }),
  info: fc.record(witnessed, { requiredKeys: [] }),
} satisfies Record<Exclude<Operation, "batch">, fc.Arbitrary<unknown>>;

const replies = {
  read: fc.record(
    {
      ...stamp,
      entry: found,
      lease: fc.record({ version: count }),
      busy: fc.record({ leftMs: count, backoff: fc.boolean() }),
    },
    { requiredKeys: [...stampKeys] },
  ),
  commit: fc.record({ ...stamp, outcome: fc.constantFrom("stored" as const, "refused" as const), ...left }),
  renew: fc.record({ ...stamp, held: fc.boolean() }),
  release: fc.record(stamp),
  write: fc.record({ ...stamp, record: logRecord }, { requiredKeys: [...stampKeys] }),
  changesSince: fc.record({ ...stamp, records: fc.array(logRecord) }, { requiredKeys: [...stampKeys] }),
  info: fc.record({ ...stamp, entries: count, bytes: count, leases: count, tags: count, logRecords: count }),
} satisfies Record<Exclude<Operation, "batch">, fc.Arbitrary<unknown>>;

const batched = ["read", "commit", "renew", "release", "write"] as const;
/** Operations of a batch, each with an answer it may have. */
const pairs = fc.array(
  fc.oneof(
    ...batched.map((operation) =>
      fc.record({
        item: fc.record({ operation: fc.constant(operation), request: requests[operation] }) as fc.Arbitrary<BatchItem>,
        reply: fc.oneof(replies[operation], fc.record({ error: name })) as fc.Arbitrary<BatchItemReply>,
      }),
    ),
  ),
  { maxLength: 4 },
);

const operations = Object.keys(requests) as (keyof typeof requests)[]; // the literal's own keys

const address = {
  partition: fc.nat(1023),
  partitions: fc.integer({ min: 1, max: 1024 }),
  confirmed: fc.boolean(),
};
const callOf = (operation: keyof typeof requests): fc.Arbitrary<Call> =>
  fc.record({ operation: fc.constant(operation), ...address, request: requests[operation] });

const outcomeOf = (operation: keyof typeof requests): fc.Arbitrary<Outcome> =>
  fc.oneof(
    fc.record({ reply: replies[operation] }),
    fc.record({ moved: fc.integer({ min: 1, max: 1024 }) }),
    fc.record({ error: name }),
    fc.constant({}),
  );

/** A message with this head and tail, whatever they are. */
function message(head: string, tail: readonly number[] = [], protocol = PROTOCOL, end = [10]): Uint8Array {
  return Uint8Array.from([protocol, ...new TextEncoder().encode(head), ...end, ...tail]);
}

/** The head of a call. */
function head(operation: string, request: string, partitions = 1): string {
  return `{"operation":"${operation}","partition":0,"partitions":${partitions},"confirmed":false,"request":${request}}`;
}

const entry = `"ttlMs":1,"staleWhileRevalidateMs":0,"staleIfErrorMs":0,"tags":[]`;

describe.each(operations)("wire: %s", (operation) => {
  test("a request comes out as it went in", () => {
    fc.assert(
      fc.property(callOf(operation), (call) => {
        expect(decodeCall(encodeCall(call))).toStrictEqual(plain(call));
      }),
    );
  });

  test("a reply comes out as it went in", () => {
    fc.assert(
      fc.property(outcomeOf(operation), (outcome) => {
        expect(decodeOutcome(operation, encodeOutcome(outcome))).toStrictEqual(plain(outcome));
      }),
    );
  });

  test("a message that was changed, cut or lengthened is a StoreError or another message, never anything else", () => {
    fc.assert(
      fc.property(
        callOf(operation),
        outcomeOf(operation),
        fc.nat(),
        fc.nat(255),
        value,
        (call, outcome, at, byte, tail) => {
          for (const good of [encodeCall(call), encodeOutcome(outcome)]) {
            const changed = good.slice();
            changed[at % changed.length] = byte;
            for (const bytes of [changed, good.slice(0, at % good.length), Uint8Array.from([...good, ...tail])]) {
              refusedOrRead(() => decodeCall(bytes));
              refusedOrRead(() => decodeOutcome(operation, bytes));
            }
          }
        },
      ),
    );
  });
});

describe("wire: batch", () => {
  test("requests and replies come out as they went in, each with its own value", () => {
    fc.assert(
      fc.property(pairs, position, fc.nat(1023), (all, witness, partition) => {
        const items = all.map(({ item }) => item);
        const request = { witness, items };
        const call: Call<"batch"> = { operation: "batch", partition, partitions: 1_024, confirmed: true, request };
        expect(decodeCall(encodeCall(call))).toStrictEqual(plain(call));
        const outcome: Outcome<"batch"> = { reply: { replies: all.map(({ reply }) => reply) } };
        expect(decodeOutcome("batch", encodeOutcome(outcome), items)).toStrictEqual(plain(outcome));
        if (all.length === 0) return;
        expect(() => decodeOutcome("batch", encodeOutcome(outcome), items.slice(1))).toThrow(StoreError);
      }),
    );
  });

  test("a message that was changed, cut or lengthened is a StoreError or another message, never anything else", () => {
    fc.assert(
      fc.property(pairs, fc.nat(), fc.nat(255), value, (all, at, byte, tail) => {
        const items = all.map(({ item }) => item);
        const call: Call = { operation: "batch", partition: 0, partitions: 1, confirmed: true, request: { items } };
        for (const good of [encodeCall(call), encodeOutcome({ reply: { replies: all.map(({ reply }) => reply) } })]) {
          const changed = good.slice();
          changed[at % changed.length] = byte;
          for (const bytes of [changed, good.slice(0, at % good.length), Uint8Array.from([...good, ...tail])]) {
            refusedOrRead(() => decodeCall(bytes));
            refusedOrRead(() => decodeOutcome("batch", bytes, items));
          }
        }
      }),
    );
  });

  test("a small value does not keep the message of all", () => {
    const entry = { ttlMs: 1, staleWhileRevalidateMs: 0, staleIfErrorMs: 0, tags: [] };
    const bytes = [Uint8Array.of(1), new Uint8Array(1_000)];
    const items = bytes.map((value, index) => ({
      operation: "write" as const,
      request: { write: { kind: "set" as const, key: `${index}`, entry: { ...entry, bytes: value } }, nonce: "n" },
    }));
    const call = encodeCall({ operation: "batch", partition: 0, partitions: 1, confirmed: true, request: { items } });
    const { request } = decodeCall(call) as Call<"batch">;
    const { write } = request.items[0]!.request as WriteRequest; // that of the literal above
    expect(write.kind === "set" && write.entry.bytes.buffer.byteLength).toBe(1);
  });
});

/** The same value with ordinary prototypes: fast-check makes some records without one. */
const plain = <T>(given: T): T => structuredClone(given);

function refusedOrRead(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(StoreError);
  }
}

test("random bytes are a StoreError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(() => decodeCall(bytes)).toThrow(StoreError);
      expect(() => decodeOutcome("read", bytes)).toThrow(StoreError);
    }),
  );
});

test("random JSON under a right header is a StoreError or a message", () => {
  fc.assert(
    fc.property(fc.json(), value, (head, tail) => {
      refusedOrRead(() => decodeCall(message(head, [...tail])));
      refusedOrRead(() => decodeOutcome("commit", message(head, [...tail])));
    }),
  );
});

test.each([
  ["nothing", new Uint8Array(0)],
  ["a protocol number alone", Uint8Array.of(PROTOCOL)],
  ["a head without end", message(head("info", "{}"), [], PROTOCOL, [])],
  [
    "a value of another length",
    message(head("write", `{"write":{"kind":"set","key":"k","entry":{${entry},"bytes":2}},"nonce":"n"}`), [1]),
  ],
  ["an operation that is on Object.prototype", message(head("constructor", "{}"))],
  ["a request without its key", message(head("read", '{"waitMs":0}'))],
  ["a request that is null", message(head("read", "null"))],
  ["a field that is null", message(head("read", '{"key":"k","waitMs":0,"hold":null}'))],
  ["a key of the prototype", message(head("read", '{"__proto__":{"key":"k"},"waitMs":0}'))],
  ["a write of an unknown kind", message(head("write", '{"write":{"kind":"drop","key":"k"},"nonce":"n"}'))],
  ["a list that is text", message(head("write", '{"write":{"kind":"tags","tags":"abc"},"nonce":"n"}'))],
  ["brackets without end", message("[".repeat(100_000))],
  ["deep nesting", message("[".repeat(100_000) + "]".repeat(100_000))],
  ["a number that JSON reads as infinite", message(head("read", '{"key":"k","waitMs":1e999}'))],
  ["no partitions", message(head("info", "{}", 0))],
  ["more partitions than there may be", message(head("info", "{}", 1025))],
  ["text that is not UTF-8", Uint8Array.of(PROTOCOL, 0x22, 0xff, 0x22, 10)],
])("%s is a StoreError", (_, bytes) => {
  expect(() => decodeCall(bytes)).toThrow(StoreError);
});

test("another protocol is refused by its number", () => {
  expect(decodeCall(message(head("info", "{}"))).operation).toBe("info");
  expect(() => decodeCall(message(head("info", "{}"), [], PROTOCOL + 1))).toThrow(/protocol 2, not 1/);
});

test("fields that no table names are gone, whatever they are called", () => {
  const { request } = decodeCall(message(head("info", '{"__proto__":{"witness":1},"constructor":2,"more":3}')));
  expect(Object.keys(request)).toEqual([]);
  expect(Object.getPrototypeOf(request)).toBe(Object.prototype);
});

test("a value that holds line feeds comes out whole", () => {
  const write = {
    kind: "set",
    key: "\n",
    entry: { ...JSON.parse(`{${entry}}`), bytes: Uint8Array.of(10, 10, 1) },
  } as const;
  const call = {
    operation: "write",
    partition: 0,
    partitions: 1,
    confirmed: true,
    request: { write, nonce: "n" },
  } as const;
  expect(decodeCall(encodeCall(call))).toStrictEqual(call);
});

test("a value costs its own bytes and at most 300 more", () => {
  const entry = {
    ttlMs: 60_000,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    tags: ["@shop"],
    bytes: new Uint8Array(1000),
  };
  const write = { kind: "set", key: "product:1", entry } as const;
  const request = { write, nonce: "n".repeat(16) };
  const sent = encodeCall({ operation: "write", partition: 0, partitions: 1, confirmed: true, request });
  expect(sent.length).toBeLessThan(1300);
});

test("decoding a value copies nothing", () => {
  const entry = { ttlMs: 1, staleWhileRevalidateMs: 0, staleIfErrorMs: 0, tags: [], bytes: Uint8Array.of(1, 2, 3) };
  const request = { write: { kind: "set", key: "k", entry }, nonce: "n" } as const;
  const sent = encodeCall({ operation: "write", partition: 0, partitions: 1, confirmed: true, request });
  const read = decodeCall(sent).request;
  expect("write" in read && read.write.kind === "set" && read.write.entry.bytes.buffer).toBe(sent.buffer);
});
