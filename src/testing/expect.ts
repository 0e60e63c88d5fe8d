// The few assertions of the conformance suites, without a test framework: they throw an Error that says what was found.

/** Bytes and undefined made visible, so that two values can be compared and shown as text. */
function show(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) => {
      if (part instanceof Uint8Array) return `bytes:${part.length}:${part.slice(0, 32).join(",")}`;
      if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
      return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
    }) ?? "undefined"
  );
}

/** Throws unless the condition holds. */
export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Throws unless both are the same as plain data. Of long bytes only length and beginning are compared. */
export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  const [found, wanted] = [show(actual), show(expected)];
  check(found === wanted, `${what}: expected ${wanted.slice(0, 400)}, found ${found.slice(0, 400)}`);
}

/** Throws unless the number lies between two others, both included. */
export function checkBetween(actual: number, from: number, to: number, what: string): void {
  check(actual >= from && actual <= to, `${what}: expected ${from} to ${to}, found ${actual}`);
}

/** Gives what the value is if it is there. */
export function present<T>(value: T | undefined, what: string): T {
  check(value !== undefined, `${what} is missing`);
  return value;
}
