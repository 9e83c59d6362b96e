import { GrowingText, inPieces, linesOf, withoutRunsOfBlanks } from '../dom/large-strings.ts';
import type { WhiteSpace } from '../style/computed-style.ts';

/** Deeper levels are not indented further, as every line would repeat all of its levels. */
const maxLevels = 10;

interface Level {
  /** Prefix of its first line. */
  first: string;
  /** Prefix of the other lines. */
  readonly rest: string;
}

/**
 * Lays out plain text as a browser's `innerText` does, without breaking long lines: runs of blanks become
 * one, blocks end lines, and the gap between two blocks is the larger of the two that they require.
 */
export class TextWriter {
  readonly #kept: boolean;
  readonly #lines = new TrimmedLines();
  readonly #levels: Level[] = [];
  /** Levels beyond the maximum. */
  #deeper = 0;
  /** Levels that the blocks before and after the gap share. */
  #gapLevels = 0;
  /** Pieces of the current line, and its last character. */
  #line = new GrowingText();
  #last = '';
  #begun = false;
  /** Pending space, or one tab per cell, written when text follows in the same line. */
  #blank = '';
  /** Pending line ends of blocks, and of `<br>`. */
  #gap = 0;
  #breaks = 0;
  #captured: GrowingText | undefined;

  /** @param kept whether the text is kept. Otherwise only what `capture` asks for is. */
  constructor(kept: boolean) {
    this.#kept = kept;
  }

  /**
   * Appends text.
   * @param space how its spaces and line breaks are treated
   */
  write(text: string, space: WhiteSpace): void {
    if (space === 'collapse') this.#writeRun(text);
    else {
      let first = true;
      for (const line of linesOf(text)) {
        if (!first) this.lineBreak();
        if (space === 'lines') this.#writeRun(line);
        else if (line !== '') this.#put(line);
        first = false;
      }
    }
  }

  #writeRun(text: string): void {
    const words = withoutRunsOfBlanks(text);
    if (words === '') return;
    if (words[0] === ' ') this.#requestBlank(' ');
    const trimmed = words.slice(words[0] === ' ' ? 1 : 0, words.endsWith(' ') ? -1 : undefined);
    if (trimmed !== '') this.#put(trimmed);
    if (words.endsWith(' ')) this.#requestBlank(' ');
  }

  #requestBlank(blank: string): void {
    if (this.#inLine() && this.#blank === '') this.#blank = blank;
  }

  #inLine = (): boolean => this.#begun && this.#gap === 0 && this.#breaks === 0 && this.#last !== '';

  #put(text: string): void {
    this.#open();
    // White space at the start of a line is not shown.
    const blank = ' \t'.includes(this.#last) ? '' : this.#blank;
    this.#blank = '';
    if (this.#kept) this.#line.add(blank + text);
    this.#last = lastCharacterOf(text);
    this.#captured?.add(blank + text);
  }

  /** Starts a new line if one is pending. */
  #open(): void {
    const ends = this.#gap + this.#breaks;
    if (this.#begun && ends === 0) return;
    if (this.#begun) {
      this.#end();
      const empty = this.#levels
        .slice(0, this.#gapLevels)
        .map(({ rest }) => rest)
        .join('')
        .trimEnd();
      for (let count = 1; count < ends; count += 1) this.#lines.add(empty);
    }
    this.#begun = true;
    this.#gap = 0;
    this.#breaks = 0;
    this.#blank = '';
    this.#gapLevels = this.#levels.length;
    this.#last = '';
    this.#line = new GrowingText();
    for (const level of this.#levels) {
      this.#line.add(level.first);
      level.first = level.rest;
    }
  }

  #end(): void {
    if (this.#kept) this.#lines.add(withoutTrailingBlanks(this.#line.text));
  }

  /** Ends the line, as a `<br>` does. */
  lineBreak(): void {
    if (this.#gap > 0 || !this.#begun) this.#open();
    this.#breaks += 1;
    this.#gapLevels = Math.min(this.#gapLevels, this.#levels.length);
    this.#blank = '';
    this.#captured?.add('\n');
  }

  /**
   * Begins or ends a block: 1 ends the line, 2 adds an empty line. The last `<br>` of a block adds no line.
   */
  block(lines: 0 | 1 | 2): void {
    if (lines === 0 || !this.#begun) return;
    if (this.#breaks > 0 && this.#gap === 0) this.#breaks -= 1;
    this.#gap = Math.max(this.#gap, lines);
    this.#gapLevels = Math.min(this.#gapLevels, this.#levels.length);
    this.#captured?.add(' ');
  }

  /** Separates two cells of a row by a tab. Does nothing at the start of a line. */
  cell(): void {
    if (this.#inLine()) this.#blank = `${this.#blank.replace(/ /g, '')}\t`;
  }

  /**
   * Adds a prefix to the lines until `outdent`, after the prefixes around it. Call it between blocks. Beyond
   * ten levels, no prefix is added.
   * @param first prefix of the first line, such as a list item's marker
   * @param rest prefix of the other lines
   */
  indent(first: string, rest: string): void {
    if (this.#levels.length < maxLevels) this.#levels.push({ first, rest });
    else this.#deeper += 1;
  }

  /** Ends the innermost `indent`. */
  outdent(): void {
    if (this.#deeper > 0) {
      this.#deeper -= 1;
      return;
    }
    this.#levels.pop();
    this.#gapLevels = Math.min(this.#gapLevels, this.#levels.length);
  }

  /**
   * Captures what is written from now on, as the text of a link, until `captured` is called. It is written
   * too.
   */
  capture(): void {
    this.#captured = new GrowingText();
  }

  /** Ends the capture and returns the text, without white space around it. */
  captured(): string {
    const text = (this.#captured?.text ?? '').trim();
    this.#captured = undefined;
    return text;
  }

  /**
   * Reduces the gap that is due before the next text to one line end, so that no empty line comes before it.
   * @returns the gap before the call, for `block`
   */
  closeUp(): 0 | 1 | 2 {
    const gap = this.#gap;
    this.#gap = Math.min(gap, 1);
    return gap as 0 | 1 | 2;
  }

  /** The last character (code point) of the current line. Empty at its start and after a space. */
  get last(): string {
    return this.#inLine() && this.#blank === '' ? this.#last : '';
  }

  /**
   * Returns the text, with LF between its lines, without empty lines at its start and end, and with a space
   * for each no-break space. Empty when the text is not kept. Call it once, at the end.
   */
  finish(): string {
    if (this.#begun) this.#end();
    return inPieces(this.#lines.text, (piece) => piece.replace(/\u00a0/g, () => ' '));
  }
}

const lastCharacterOf = (text: string): string => {
  const pair = text.slice(-2);
  return pair.codePointAt(0)! > 0xffff ? pair : pair.slice(-1);
};

/** Lines without the blank ones at the beginning and at the end. */
class TrimmedLines {
  readonly #written = new GrowingText();
  #blank = new GrowingText();
  #begun = false;

  add(line: string): void {
    if (line.trim() === '') {
      if (this.#begun) this.#blank.add(`\n${line}`);
      return;
    }
    this.#written.add(this.#blank.text);
    this.#written.add(this.#begun ? `\n${line}` : line);
    this.#blank = new GrowingText();
    this.#begun = true;
  }

  get text(): string {
    return this.#written.text;
  }
}

/** Not a regular expression: `/[ \t]+$/` is quadratic on spaces that text follows. */
function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\u00a0'.includes(line[end - 1]!)) end -= 1;
  return line.slice(0, end);
}
