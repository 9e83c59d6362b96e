import { compileSelectors } from './compile-selector.ts';
import { mediaApplies, supportsApplies } from './conditional-rules.ts';
import { splitOutside, withoutComments } from './css-syntax.ts';
import type { Selector } from './match-selector.ts';
import { type Declaration, parseDeclarations } from './parse-declarations.ts';
import { InvalidSelector, UnknownSelector } from './simple-selectors.ts';

/** A rule with one selector. */
export interface StyleRule {
  readonly selector: Selector;
  readonly declarations: readonly Declaration[];
  /** Position among the blocks of all style sheets. Of rules with equal specificity, the higher one wins. */
  readonly order: number;
}

/** The rules of all style sheets of a body. */
export interface Sheet {
  /** Rules by the `key` of their selector: `#id`, `.class`, name or `*`. The lists have no defined order. */
  readonly rules: ReadonlyMap<string, readonly StyleRule[]>;
  /** Selectors and at-rules that were skipped: not supported, nested too deep, or longer than a limit. */
  readonly unknown: ReadonlySet<string>;
}

/**
 * Parses the style sheets of a body, in linear time. A rule with a list of selectors becomes one rule for
 * each. `@media` is evaluated for a wide screen: what does not apply is left out. Invalid rules are left out,
 * as in a browser.
 * @param texts the style sheets, in the order of the body
 */
export function parseSheets(texts: readonly string[]): Sheet {
  const reader = new SheetReader();
  for (const text of texts) reader.read(withoutComments(text.replace(/<!--|-->/g, ' '), unlessItParts));
  return reader;
}

const beforeName = /[\w)%-]|[^\0-\x7f]/;
/** A bracket is part of the name of a function. */
const ofName = /[\w(-]|[^\0-\x7f]/;
/**
 * A comment means nothing in a selector, unless two names, or a name and a bracket, would become one without
 * it: then it stays.
 */
const unlessItParts = (before: string, after: string): string =>
  beforeName.test(before) && ofName.test(after) ? '/**/' : '';

/** An open block. */
interface Block {
  /** Selector of its declarations; undefined if it cannot have declarations. */
  readonly prelude: string | undefined;
  /** Whether its rules apply; others are skipped. */
  readonly applies: boolean;
  readonly declarations: string[];
  readonly order: number;
}

/** Groups that always apply. The order of `@layer` is ignored. */
const plainGroups = /^@(?:layer|-webkit-document)\b/i;
/** At-rules that do not style elements. */
const otherNames = [
  ...['font-face', 'font-feature-values', 'font-palette-values', '(?:-[a-z]+-)?keyframes', 'page'],
  ...['viewport', '-ms-viewport', 'counter-style', 'property', '-moz-document', 'view-transition'],
  ...['position-try', 'starting-style', 'charset', 'namespace', 'import'],
].join('|');
const otherThings = new RegExp(`^@(?:${otherNames})\\b`, 'i');

/** Maximum characters of a selector list. */
const longestPrelude = 20_000;
/** Maximum nesting of blocks. */
const deepest = 8;

class SheetReader implements Sheet {
  readonly rules = new Map<string, StyleRule[]>();
  readonly unknown = new Set<string>();
  readonly #blocks: Block[] = [];
  #order = 0;

  /** Scans from brace to brace; the text in between is a declaration or a prelude. */
  read(css: string): void {
    const marks = /[{};]|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?|\\[^\n]/g;
    let begin = 0;
    let statement = isStatement(css, begin);
    for (let found = marks.exec(css); found !== null; found = marks.exec(css)) {
      const [mark] = found;
      const block = this.#blocks.at(-1);
      // Outside of blocks `}` and `;` belong to the prelude, and make it invalid.
      const counts =
        mark === '{' || (mark === '}' && block) || (mark === ';' && (block?.prelude ?? statement));
      if (!counts) continue;
      const text = css.slice(begin, found.index).trim();
      begin = marks.lastIndex;
      statement = isStatement(css, begin);
      if (mark === '{') this.#open(text);
      else if (block !== undefined) {
        block.declarations.push(text);
        if (mark === '}') this.#close();
      }
    }
    this.#blocks.at(-1)?.declarations.push(css.slice(begin).trim());
    while (this.#blocks.length > 0) this.#close();
  }

  #open(written: string): void {
    const group = written.startsWith('@');
    const text = group ? written.replaceAll('/**/', ' ') : written;
    const around = this.#blocks.at(-1);
    this.#order += 1;
    const order = this.#order;
    if (around?.applies === false) {
      this.#blocks.push({ prelude: undefined, applies: false, declarations: [], order });
      return;
    }
    // Declarations in a group inside a rule belong to the rule.
    const prelude = group ? around?.prelude : nested(text, around?.prelude);
    const tooMuch = this.#blocks.length > deepest || (prelude ?? '').length > longestPrelude;
    if (tooMuch) this.unknown.add(text);
    const applies = !tooMuch && (!group || this.#groupApplies(text));
    this.#blocks.push({ prelude, applies, declarations: [], order });
  }

  #groupApplies(text: string): boolean {
    if (/^@media\b/i.test(text)) return mediaApplies(text.slice('@media'.length));
    if (plainGroups.test(text)) return true;
    if (otherThings.test(text)) return false;
    const answer = /^@supports\b/i.test(text) ? supportsApplies(text.slice('@supports'.length)) : undefined;
    if (answer === undefined) this.unknown.add(text);
    return answer === true;
  }

  #close(): void {
    const block = this.#blocks.pop();
    if (block?.prelude === undefined || !block.applies) return;
    const declarations = parseDeclarations(block.declarations.join(';'));
    if (declarations.length === 0) return;
    for (const selector of this.#compile(block.prelude)) {
      const rules = this.rules.get(selector.key) ?? [];
      this.rules.set(selector.key, rules);
      rules.push({ selector, declarations, order: block.order });
    }
  }

  /**
   * One invalid selector invalidates the whole list. An unsupported one is skipped.
   */
  #compile(prelude: string): readonly Selector[] {
    try {
      return splitOutside(prelude, ',').flatMap((text) => {
        try {
          return compileSelectors(text);
        } catch (error) {
          if (!(error instanceof UnknownSelector)) throw error;
          this.unknown.add(text.trim());
          return [];
        }
      });
    } catch (error) {
      if (!(error instanceof InvalidSelector)) throw error;
      return [];
    }
  }
}

/** Whether an at-rule begins here, which may end with `;`. */
function isStatement(css: string, begin: number): boolean {
  const blanks = /\s*/y;
  blanks.lastIndex = begin;
  blanks.exec(css);
  return css[blanks.lastIndex] === '@';
}

/** Resolves a nested selector against the outer rule. */
function nested(prelude: string, around: string | undefined): string {
  if (around === undefined) return prelude;
  const outer = `:is(${around})`;
  return splitOutside(prelude, ',')
    .map((one) => (one.includes('&') ? one.replaceAll('&', () => outer) : `${outer} ${one.trim()}`))
    .join(',');
}
