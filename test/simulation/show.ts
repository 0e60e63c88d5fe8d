// Requests and answers on one line of the timeline.

const IDS = ["token", "nonce", "id", "hold", "refresh", "keep", "epoch", "tip"];

/** JSON, with ids shortened and the frame's head left off the bytes. */
export const showMessage = (message: object): string =>
  JSON.stringify(message, (name, value: unknown) => {
    if (value instanceof Uint8Array) return new TextDecoder().decode(value.subarray(4));
    return IDS.includes(name) ? String(value).slice(0, 4) : value;
  }).replaceAll('"', "");
