// Bearer tokens, compared in a time that does not tell how much of one was right.

const encoder = new TextEncoder();

function isSame(given: Uint8Array, wanted: Uint8Array): boolean {
  let difference = given.length ^ wanted.length;
  for (let at = 0; at < given.length; at++) difference |= given[at]! ^ wanted[at % wanted.length]!; // both are there
  return difference === 0;
}

/** Whether an Authorization header has one of the tokens; always, if there are none. */
export function createGuard(tokens: readonly (string | undefined)[]): (header: string | null) => boolean {
  const wanted = tokens.flatMap((token) => (token === undefined ? [] : [encoder.encode(token)]));
  if (wanted.length === 0) return () => true;
  return (header) => {
    const [, given = ""] = /^bearer +(\S+)$/i.exec(header ?? "") ?? [];
    const bytes = encoder.encode(given);
    return wanted.map((token) => isSame(bytes, token)).includes(true); // all, whichever it is
  };
}
