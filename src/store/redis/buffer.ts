// The byte arrays of Node's clients, who tell bytes from text by this class and take no other.

interface BufferClass {
  from(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array;
}

/** Looked up when used: runtimes without the class have none of these clients. */
export const bufferClass = (): BufferClass => (globalThis as unknown as { Buffer: BufferClass }).Buffer;

/** The same bytes, not copied, in arguments of a command. */
export const withBuffers = (command: readonly (string | Uint8Array)[]): (string | Uint8Array)[] =>
  command.map((part) =>
    typeof part === "string" ? part : bufferClass().from(part.buffer, part.byteOffset, part.byteLength),
  );
