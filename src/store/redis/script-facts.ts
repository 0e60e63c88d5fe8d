// What the script and its callers must agree on. The script is made with these: `npm run script`.

/** The length of an epoch's name. It is fixed: so no name begins with another, and they are found by their place. */
export const EPOCH_LENGTH = 22;

/** The instant, by the server's clock in milliseconds, at which the metadata expires: what is left until then tells the time. */
export const END = 4e12;
