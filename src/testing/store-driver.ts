// A store under test in short words: what the conformance cases say to one partition of it.
import type { Platform } from "../platform.ts";
import type {
  BatchItem,
  BatchItemReply,
  ChangesReply,
  CommitReply,
  CommitRequest,
  EntryMeta,
  InfoReply,
  Moved,
  NewEntry,
  Position,
  ReadReply,
  ReadRequest,
  Stamp,
  Store,
  StoreConnection,
  Write,
  WriteReply,
} from "../store/contract.ts";
import { check, present } from "./expect.ts";

/** A fresh, empty store for one case. */
export interface StoreFixture {
  /** The store under test, empty. */
  readonly store: Store;
  /** What the case hands to `connect`. */
  readonly platform: Platform;
  /** Lets time pass for store and caller; a store in real time sleeps. Cases ask for at most 400 ms at once. */
  advance(durationMs: number): Promise<void>;
  /** Called when the case is over, after its connection was closed: releases what the fixture opened. */
  close(): Promise<void>;
}

/** A lease as a case holds it. */
export interface Grant {
  readonly key: string;
  readonly token: string;
  readonly epoch: string;
  readonly version: number;
}

/** A read that the store holds. */
export interface HeldRead {
  readonly reply: Promise<ReadReply>;
  /** Whether the reply is there. */
  isDone(): boolean;
}

export const ROOT = "@root";

/** An entry that is fresh for a minute unless said otherwise, under the reserved tag of the cache. */
export function entryOf(bytes: readonly number[], labels: Partial<EntryMeta> = {}): NewEntry {
  const windows = { ttlMs: 60_000, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 };
  return { ...windows, ...labels, tags: [ROOT, ...(labels.tags ?? [])], bytes: Uint8Array.from(bytes) };
}

/** Everything a case says, with fresh tokens and nonces. */
export interface StoreDriver {
  readonly fixture: StoreFixture;
  readonly connection: StoreConnection;
  /** A token or nonce that was never used. */
  fresh(): string;
  read(key: string, request?: Partial<ReadRequest>): Promise<ReadReply>;
  /** A read that wants the lease, by a token of its own. */
  want(key: string, request?: Partial<ReadRequest>, token?: string, leaseMs?: number): Promise<ReadReply>;
  /** Takes a lease that must be free. */
  lease(key: string, leaseMs?: number): Promise<Grant>;
  /** A read that wants the lease and that the store must hold; it is held when this resolves. */
  hold(key: string, waitMs?: number, signal?: AbortSignal): Promise<HeldRead>;
  commit(grant: Grant, entry: CommitRequest["entry"], request?: Partial<CommitRequest>): Promise<CommitReply>;
  /** Takes the lease and commits. */
  load(key: string, entry: NewEntry): Promise<CommitReply>;
  renew(grant: Grant, leaseMs?: number): Promise<boolean>;
  release(grant: Grant, backoffMs?: number): Promise<Stamp>;
  write(write: Write, nonce?: string, deadline?: number, witness?: Position): Promise<WriteReply>;
  set(key: string, entry: NewEntry): Promise<WriteReply>;
  batch(items: readonly BatchItem[], witness?: Position): Promise<readonly BatchItemReply[]>;
  changesSince(since: Position, witness?: Position): Promise<ChangesReply>;
  info(): Promise<InfoReply>;
}

function here<T>(reply: T | Moved): T {
  check(typeof reply !== "object" || reply === null || !("moved" in reply), "the partitions moved");
  return reply as T; // not Moved: looked at above
}

/** Connects to partition 0 of a fixture's store. */
export function storeDriver(fixture: StoreFixture, name = "conformance"): StoreDriver {
  const connection = fixture.store.connect({ name, platform: fixture.platform });
  let last = 0;
  const fresh = (): string => `${name}-${++last}-${Math.floor(fixture.platform.random() * 2 ** 53).toString(36)}`;

  const wish = (key: string, request: Partial<ReadRequest>, token = fresh(), leaseMs = 30_000): ReadRequest => ({
    key,
    lease: { token, leaseMs, scopes: [ROOT] },
    waitMs: 0,
    ...request,
  });

  const driver: StoreDriver = {
    fixture,
    connection,
    fresh,
    read: async (key, request = {}) => here(await connection.read(0, { key, waitMs: 0, ...request }, {})),
    want: async (key, request = {}, token, leaseMs) =>
      here(await connection.read(0, wish(key, request, token, leaseMs), {})),
    async lease(key, leaseMs) {
      const token = fresh();
      const reply = await driver.want(key, {}, token, leaseMs);
      const { version } = present(reply.lease, `the lease of ${JSON.stringify(key)}`);
      return { key, token, epoch: reply.epoch, version };
    },
    async hold(key, waitMs = 20_000, signal) {
      let done = false;
      let tell = (): void => undefined;
      const held = new Promise<void>((resolve) => (tell = resolve));
      const call = { onHeld: () => tell(), ...(signal && { signal }) };
      const reply = connection.read(0, wish(key, { waitMs }), call).then(here);
      const finish = (): void => void (done = true);
      reply.then(finish, finish);
      await Promise.race([held, reply]);
      check(!done, "the read was answered at once instead of being held");
      return { reply, isDone: () => done };
    },
    commit: async (grant, entry, request = {}) => here(await connection.commit(0, { ...grant, entry, ...request }, {})),
    load: async (key, entry) => driver.commit(await driver.lease(key), entry),
    renew: async ({ key, token }, leaseMs = 30_000) =>
      here(await connection.renew(0, { key, token, leaseMs }, {})).held,
    release: async ({ key, token }, backoffMs = 0) => here(await connection.release(0, { key, token, backoffMs }, {})),
    write: async (write, nonce = fresh(), deadline, witness) => {
      const more = { ...(deadline !== undefined && { deadline }), ...(witness && { witness }) };
      return here(await connection.write(0, { write, nonce, ...more }, {}));
    },
    set: (key, entry) => driver.write({ kind: "set", key, entry }),
    batch: async (items, witness) =>
      here(await connection.batch(0, { items, ...(witness && { witness }) }, {})).replies,
    changesSince: async (since, witness) =>
      here(await connection.changesSince(0, { since, ...(witness && { witness }) }, {})),
    info: async () => here(await connection.info(0, {})),
  };
  return driver;
}
