// Strings in the lines that scripts read: any string of JavaScript, without control characters, told apart from all others.

const ODD = /[^\x20\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]/;

/** As JSON has it, between the quotes: without line feeds, and a lone surrogate stays what it is in UTF-8. */
export const toText = (value: string): string => (ODD.test(value) ? JSON.stringify(value).slice(1, -1) : value);

/** What `toText` was given. Throws a SyntaxError if it was none of it. */
export const fromText = (text: string): string =>
  text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text; // a string literal is a string

/** Values that may be missing. */
export const toOptional = (value: string | undefined): string => (value === undefined ? "" : `=${toText(value)}`);
export const fromOptional = (text: string): string | undefined => (text === "" ? undefined : fromText(text.slice(1)));

/** Fields of a line, each with its end. */
export const lines = (...fields: readonly (string | number)[]): string => fields.map((field) => `${field}\n`).join("");
