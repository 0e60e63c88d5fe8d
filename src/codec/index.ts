// isocache/codec: the default codec, and what wraps a codec.
export { compress, type CompressOptions } from "./compress.ts";
export type { CompressionMethod, Fflate, FflateStream } from "./compression.ts";
export { encrypt, type EncryptionKey, type EncryptionKeys, type EncryptOptions } from "./encrypt.ts";
export { jsonCodec } from "./json.ts";
