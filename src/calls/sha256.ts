// SHA-256 (FIPS 180-4) without waiting: Web Crypto's is asynchronous, and a key must be known at once.

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** The first 32 bits of the fraction of a number. */
const fraction = (number: number): number => ((number % 1) * 2 ** 32) | 0;

/** The first 64 primes. */
function primes(): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < 64; n++) if (found.every((prime) => n % prime > 0)) found.push(n);
  return found;
}

/** The message, a 1 bit, zeros, and its length in bits: 32-bit words, 16 to a block. */
function padded(bytes: Uint8Array): Int32Array {
  const { length } = bytes;
  const words = new Int32Array(((length + 72) >> 6) << 4);
  for (let i = 0; i <= length; i++) words[i >> 2]! |= (bytes[i] ?? 0x80) << (24 - 8 * (i & 3));
  words[words.length - 2] = length / 2 ** 29;
  words[words.length - 1] = length * 8;
  return words;
}

/** The words that 64 rounds take from one block. */
function schedule(w: Int32Array, block: Int32Array): void {
  w.set(block);
  for (let t = 16; t < 64; t++) {
    const a = w[t - 15]!; // t is from 16 on
    const b = w[t - 2]!;
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    w[t] = w[t - 16]! + s0 + w[t - 7]! + s1;
  }
}

/** The SHA-256 of the UTF-8 of a text, in 64 hexadecimal digits. */
export function sha256(text: string): string {
  const numbers = primes();
  const hash = Int32Array.from(numbers.slice(0, 8), (prime) => fraction(prime ** (1 / 2)));
  const constants = Int32Array.from(numbers, (prime) => fraction(prime ** (1 / 3)));
  const words = padded(new TextEncoder().encode(text));
  const w = new Int32Array(64);
  for (let at = 0; at < words.length; at += 16) {
    schedule(w, words.subarray(at, at + 16));
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash;
    for (let t = 0; t < 64; t++) {
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + constants[t]! + w[t]!) | 0; // there are 64 of each
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (hash[i]! += word));
  }
  return Array.from(hash, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
