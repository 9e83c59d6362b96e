import type { WhiteSpace } from '../style/look.ts';

/**
 * Deeper levels of lists and quotations are not indented further: each line would begin with all of its
 * levels.
 */
const maxLevels = 10;

interface Level {
  /** What its first line begins with, and what the others do. */
  first: string;
  readonly rest: string;
}

/**
 * Lays out text as a browser's `innerText` does: runs of blanks are one, blocks end lines, and the gap
 * between two blocks is the larger of what they ask for.
 */
export class TextWriter {
  readonly #lines: string[] = [];
  readonly #levels: Level[] = [];
  /** Levels past those. */
  #deeper = 0;
  /** The levels that a gap between lines has in common with what is before and after it. */
  #gapLevels = 0;
  /** The line that is being written, piece by piece, and its last character. */
  #line: string[] = [];
  #last = '';
  #begun = false;
  /** A blank that is written when something follows it in the line; for cells, a tab for each. */
  #blank = '';
  /** Line ends that the blocks ask for, and those that are the author's own. */
  #gap = 0;
  #breaks = 0;
  #captured: string[] | undefined;

  write(text: string, space: WhiteSpace): void {
    if (space === 'collapse') this.#writeRun(text);
    else
      for (const [index, line] of text.split('\n').entries()) {
        if (index > 0) this.lineBreak();
        if (space === 'lines') this.#writeRun(line);
        else if (line !== '') this.#put(line);
      }
  }

  #writeRun(text: string): void {
    // Most text has nothing to be replaced, which a search finds faster than a replacement.
    const words = /[\t\n\r\f]| {2}/.test(text) ? text.replace(/[ \t\n\r\f]+/g, ' ') : text;
    if (words === '') return;
    if (words[0] === ' ') this.#wish(' ');
    const trimmed = words.slice(words[0] === ' ' ? 1 : 0, words.endsWith(' ') ? -1 : undefined);
    if (trimmed !== '') this.#put(trimmed);
    if (words.endsWith(' ')) this.#wish(' ');
  }

  #wish(blank: string): void {
    if (this.#inLine() && this.#blank === '') this.#blank = blank;
  }

  #inLine = (): boolean => this.#begun && this.#gap === 0 && this.#breaks === 0 && this.#last !== '';

  #put(text: string): void {
    this.#open();
    // A blank that stands before a line's first word is not seen.
    const blank = ' \t'.includes(this.#last) ? '' : this.#blank;
    this.#blank = '';
    this.#line.push(blank, text);
    this.#last = text.at(-1)!;
    this.#captured?.push(blank, text);
  }

  /** Begins the line that is asked for. */
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
      for (let count = 1; count < ends; count += 1) this.#lines.push(empty);
    } else for (let count = 0; count < this.#breaks; count += 1) this.#lines.push('');
    this.#begun = true;
    this.#gap = 0;
    this.#breaks = 0;
    this.#blank = '';
    this.#gapLevels = this.#levels.length;
    this.#last = '';
    this.#line = [];
    for (const level of this.#levels) {
      this.#line.push(level.first);
      level.first = level.rest;
    }
  }

  #end(): void {
    this.#lines.push(withoutTrailingBlanks(this.#line.join('')));
  }

  lineBreak(): void {
    if (this.#gap > 0 || !this.#begun) this.#open();
    this.#breaks += 1;
    this.#gapLevels = Math.min(this.#gapLevels, this.#levels.length);
    this.#blank = '';
    this.#captured?.push('\n');
  }

  /** The end of a line, and an empty line for 2. The last `<br>` of a block ends no line of its own. */
  block(lines: 0 | 1 | 2): void {
    if (lines === 0 || !this.#begun) return;
    if (this.#breaks > 0 && this.#gap === 0) this.#breaks -= 1;
    this.#gap = Math.max(this.#gap, lines);
    this.#gapLevels = Math.min(this.#gapLevels, this.#levels.length);
    this.#captured?.push(' ');
  }

  /** Between two cells of a row. */
  cell(): void {
    if (this.#inLine())
      this.#blank = this.#blank.trim() === '' ? `${this.#blank.replace(/ /g, '')}\t` : this.#blank;
  }

  /** What is written until `outdent` begins so. Between two blocks. */
  indent(first: string, rest: string): void {
    if (this.#levels.length < maxLevels) this.#levels.push({ first, rest });
    else this.#deeper += 1;
  }

  outdent(): void {
    if (this.#deeper > 0) {
      this.#deeper -= 1;
      return;
    }
    this.#levels.pop();
    this.#gapLevels = Math.min(this.#gapLevels, this.#levels.length);
  }

  /** Gathers what is written until it is asked for, as the text of a link. */
  capture(): void {
    this.#captured = [];
  }

  captured(): string {
    const text = (this.#captured ?? []).join('').trim();
    this.#captured = undefined;
    return text;
  }

  /** What is written next stands in the line after the last, at most. @returns the gap that was asked for */
  closeUp(): 0 | 1 | 2 {
    const gap = this.#gap;
    this.#gap = Math.min(gap, 1);
    return gap as 0 | 1 | 2;
  }

  /** The last character of the line that is being written. */
  get last(): string {
    return this.#inLine() && this.#blank === '' ? this.#last : '';
  }

  finish(): string {
    if (this.#begun) this.#end();
    const begin = this.#lines.findIndex(isWritten);
    const end = this.#lines.findLastIndex(isWritten);
    return this.#lines
      .slice(Math.max(0, begin), end + 1)
      .join('\n')
      .replaceAll('\u00a0', ' ');
  }
}

const isWritten = (line: string): boolean => line.trim() !== '';

/** By hand: `/[ \t]+$/` begins again at each of a million blanks that something follows, for minutes. */
function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\u00a0'.includes(line[end - 1]!)) end -= 1;
  return line.slice(0, end);
}
