// Event streams (text/event-stream, as the HTML standard has it) read from their bytes, piece by piece and bounded.

/** What a stream sent: the fields up to a blank line. */
export interface StreamEvent {
  /** Of this event or the last one before that has an id. "": there was none. */
  readonly id: string;
  /** "message" unless it says otherwise. */
  readonly type: string;
  readonly data: string;
}

/** Takes the next bytes of a stream. Throws once it was too long, and whatever the one it calls throws. */
export type TakeBytes = (bytes: Uint8Array) => void;

/** Calls back with each line, without its end, as soon as that has come. A line of more characters than this throws. */
export function lineReader(maxLength: number, hear: (line: string) => void): TakeBytes {
  const decoder = new TextDecoder(); // which holds back half a character, and takes a byte order mark away
  let rest = "";
  let wasReturn = false;
  return (bytes) => {
    const text = decoder.decode(bytes, { stream: true });
    if (text === "") return;
    // The end of a line may have come in two parts.
    const lines = (wasReturn && text.startsWith("\n") ? text.slice(1) : text).split(/\r\n|\r|\n/);
    wasReturn = text.endsWith("\r");
    lines[0] = rest + lines[0];
    if (lines.some(({ length }) => length > maxLength)) throw new RangeError("a line of an event stream is too long");
    rest = lines.pop() ?? "";
    lines.forEach(hear);
  };
}

/** Calls back with each event that has data. One of more characters throws, its field names included. */
export function eventReader(maxLength: number, hear: (event: StreamEvent) => void): TakeBytes {
  let id = "";
  let type = "";
  let data: string[] = [];
  let length = 0;

  const end = (): void => {
    const event = { id, type: type || "message", data: data.join("\n") };
    const hasData = data.length > 0;
    type = "";
    data = [];
    length = 0;
    if (hasData) hear(event);
  };

  return lineReader(maxLength, (line) => {
    if (line === "") return end();
    if (line.startsWith(":")) return; // a comment
    const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    length += line.length;
    if (length > maxLength) throw new RangeError("an event of an event stream is too long");
    if (field === "data") data.push(value);
    if (field === "event") type = value;
    if (field === "id" && !value.includes("\0")) id = value;
  });
}
