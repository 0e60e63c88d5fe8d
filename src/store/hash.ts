// Which partition a key belongs to: the same on every instance, runtime and version of this protocol.

/**
 * FNV-1a over UTF-16 code units with the 32-bit finalizer of MurmurHash3, so that short keys spread evenly too.
 * Not a defence against chosen keys: a flood of one partition is bounded by that partition's own size limit.
 */
export function partitionOf(key: string, partitions: number): number {
  if (partitions === 1) return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % partitions;
}
