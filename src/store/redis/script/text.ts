// What the parts of the script have in common as texts.

/** Of the names of epochs. All are of one length: so none begins with another, and they are found by their place. */
export const EPOCH_LENGTH = 22;

/** A pattern of so many fields, each ended by a line feed. */
export const fields = (count: number): string => "([^\\n]*)\\n".repeat(count);
