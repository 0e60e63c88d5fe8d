// The types of msgpackr's build without eval, which has none of its own: what is used of it.
declare module "msgpackr/index-no-eval" {
  /** Writes MessagePack; plain objects as records: their keys once for each shape in a value. */
  export class Packr {
    constructor(options?: { readonly useRecords?: boolean });
    pack(value: unknown): Uint8Array;
    /** What it, and every other one, writes into from now on. */
    useBuffer(buffer: Uint8Array): void;
  }
  export class Unpackr {
    unpack(bytes: Uint8Array): unknown;
  }
}
