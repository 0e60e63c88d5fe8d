// The script: each operation of the store contract as one atomic step in Redis, in Lua.
//
// It does exactly what `createPartition` does over its storage; there the reasons are written, here those of Redis.
//
// **Keys.** All of a partition share the hash tag of their name, and each that is touched is in KEYS: the metadata, the
// counters, and then for each operation on a key its entry and its lease.
//
// - Metadata, a hash: `w` the position in three lines, `e` the epochs, `f` floor, `k` the seq of the last mark of a tag, `c` the
//   number of marks (reserved tags aside), `o` the first seq of the log, `q` the number of partitions and the incarnation in
//   two lines; `g`+tag the seq of its invalidation, `x`+tag seq and instant of its expiry; `l`+seq a record, `n`+nonce its
//   seq.
// - An entry, a hash: `h` its head, `b` its bytes, `x` the instant of the first `expire`. Redis removes it at its end. A
//   head begins with version, instant, ttl and the longer window, of 16 digits each: patterns are slow. Then come lines.
// - A lease, a string: token, epoch, version, instant, span, scopes. A token of nothing: a back-off.
// - Counters, a hash: of entries (`e`), bytes (`b`) and leases (`l`) by the time slot in which they end. For `info` alone.
//
// **Losing keys.** Under any eviction policy, a flush or an expiry, a key is lost as a whole. Without its metadata a
// partition begins a new epoch, and whatever else was kept is foreign to it: marks, floor, log and position are in one key,
// so a mark cannot be missing where the epoch is known. A lost entry is a miss, a lost lease refuses a commit, lost counters
// misinform an operator. An entry is one key: it has head and bytes, or neither.
//
// **Memory limit.** Redis refuses a script only at its first write, and only if that may grow; after any write it lets
// everything pass, so that no script ends half-way. Hence a value begins with its HSET, whose refusal leaves all as it was
// (a commit then gives its lease back), and an invalidation with a deletion, so that it is done when nothing else is. What is
// counted is counted last.
//
// **Time.** The metadata expires at a fixed instant: what is left until then tells the server's clock, in scripts where
// there is no other way, too. It is the wall clock, so deadlines hold across epochs.
import { closing } from "./script/closing.ts";
import { counting, entries } from "./script/entries.ts";
import { epochs } from "./script/epochs.ts";
import { hits } from "./script/hits.ts";
import { leases } from "./script/leases.ts";
import { operations } from "./script/operations.ts";
import { writing } from "./script/writing.ts";

export const script = [hits, epochs, counting, entries, leases, operations, writing, closing].join("");

/** Its SHA-1, by which Redis knows it. */
export const scriptHash = "a3b3d711d94f63b0b91a6dcba8f536e342bbedbb";
