/** A text as it stands in a message: quoted, and not too long. */
export const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** What separates JSON's parts: space, tab, line feed, carriage return. */
const isSpace = (code: number) => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;

/** So that a message can name a number as it is written. */
const NUMBER_LIKE = /[-+.\w]{1,40}/y;

/**
 * Reads the JSON of a checkpoint's header piece by piece, as its user expects it. `JSON.parse` takes the last of two equal keys, takes 1.0
 * and 1e3 for whole numbers, rounds large ones, and builds whatever nests, before anything can be checked.
 * Every method throws an Error that says what was expected, where, and what is there.
 */
export class HeaderReader {
  private next = 0;
  /** The keys that lead to where the reader is. */
  private readonly path: string[] = [];

  constructor(private readonly json: string) {}

  /** `{…}`: for each key in turn, calls `readValue` when its value comes next. Throws if a key stands twice. */
  table(readValue: (key: string) => void): void {
    const keys = new Set<string>();
    this.expect("{");
    if (this.take("}")) return;
    do {
      const key = this.text();
      if (keys.has(key)) this.fail(`each name only once, but ${quote(key)} is given twice`);
      keys.add(key);
      this.expect(":");
      this.path.push(key);
      readValue(key);
      this.path.pop();
    } while (this.take(","));
    this.expect("}");
  }

  /** `[…]`: what `readItem` gives for each item. */
  list<T>(readItem: () => T): T[] {
    const items: T[] = [];
    this.expect("[");
    if (this.take("]")) return items;
    do items.push(readItem());
    while (this.take(","));
    this.expect("]");
    return items;
  }

  /** `"…"` */
  text(): string {
    this.expect('"');
    const begin = this.next;
    let isPlain = true;
    for (let code = this.read(); code !== 0x22; code = this.read()) {
      if (code === 0x5c) this.read(); // what a backslash escapes can't end the text
      if (code === 0x5c || code < 0x20) isPlain = false;
      if (this.next > this.json.length) this.fail('a closing "');
    }
    return isPlain ? this.json.slice(begin, this.next - 1) : this.unescape(this.json.slice(begin - 1, this.next));
  }

  /** A whole number from 0 to 2^53 - 1, as digits: the reference implementation takes no 1.0, 1e3 or -0 either. */
  size(): number {
    this.skipSpace();
    NUMBER_LIKE.lastIndex = this.next;
    const written = NUMBER_LIKE.exec(this.json)?.[0] ?? "";
    if (!/^(0|[1-9]\d*)$/.test(written) || !Number.isSafeInteger(Number(written)))
      this.fail(`a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, in digits alone`);
    this.next += written.length;
    return Number(written);
  }

  /** Nothing but white space may follow. */
  end(): void {
    this.skipSpace();
    if (this.next < this.json.length) this.fail("its end");
  }

  private read(): number {
    return this.json.charCodeAt(this.next++);
  }

  private skipSpace(): void {
    while (isSpace(this.json.charCodeAt(this.next))) this.next++;
  }

  private take(char: string): boolean {
    this.skipSpace();
    const isThere = this.json[this.next] === char;
    if (isThere) this.next++;
    return isThere;
  }

  private expect(char: string): void {
    if (!this.take(char)) this.fail(char);
  }

  /** JSON.parse knows which escapes and characters a text may hold, but lets halves of surrogate pairs through. */
  private unescape(quoted: string): string {
    let value: string;
    try {
      value = JSON.parse(quoted);
    } catch {
      return this.fail(`a text without control characters and unknown escapes, not ${quote(quoted)}`);
    }
    return /\p{Surrogate}/u.test(value) ? this.fail("texts of whole characters, not half a surrogate pair") : value;
  }

  private fail(expected: string): never {
    const where = this.path.length === 0 ? "" : ` (${this.path.map(quote).join(", ")})`;
    const found = this.next < this.json.length ? quote(this.json.slice(this.next, this.next + 20)) : "its end";
    throw new Error(
      `its header is not what the format wants: at character ${this.next}${where} expected ${expected}; found ${found}`,
    );
  }
}
