import { type Declaration, parseDeclarations, splitOutside, withoutComments } from './css.ts';
import { compileSelector, type Selector } from './selector.ts';

export interface Rule {
  readonly selector: Selector;
  readonly declarations: readonly Declaration[];
  readonly order: number;
}

/** The rules by what the element that they are for must have: `#id`, `.class`, a name, or `*`. */
export type Sheet = ReadonlyMap<string, readonly Rule[]>;

/** Pixels that a mail is laid out for, on paper of none and in no dark mode. */
const viewport = 1024;

function mediaApplies(query: string): boolean {
  return splitOutside(query.toLowerCase(), ',').some((one) => {
    const parts = one.trim().split(/\s+and\s+/);
    return parts.every((part) => {
      const feature = /^\(\s*(min|max)-(?:device-)?width\s*:\s*(\d{1,5})(?:\.\d*)?px\s*\)$/.exec(part);
      if (feature === null) return /^(?:only\s+)?(?:all|screen)$/.test(part) || part === '';
      return feature[1] === 'min' ? viewport >= Number(feature[2]) : viewport <= Number(feature[2]);
    });
  });
}

/** Reads style sheets as far as they say how something looks on a wide screen. Linear in their length. */
export function parseSheets(texts: readonly string[]): Sheet {
  const sheet = new Map<string, Rule[]>();
  let order = 0;
  const add = (prelude: string, block: string) => {
    const declarations = parseDeclarations(block);
    if (declarations.length === 0) return;
    for (const text of splitOutside(prelude, ',')) {
      const selector = compileSelector(text);
      if (selector === undefined) continue;
      const rules = sheet.get(selector.key) ?? [];
      sheet.set(selector.key, rules);
      order += 1;
      rules.push({ selector, declarations, order });
    }
  };
  for (const text of texts) readRules(withoutComments(text.replace(/<!--|-->/g, '')), add);
  return sheet;
}

/** Goes from brace to brace; blocks of media that apply are read as if they were not there. */
function readRules(css: string, add: (prelude: string, block: string) => void): void {
  const braces = /[{};]|"[^"\n]*"?|'[^'\n]*'?/g;
  let begin = 0;
  let skipped = 0;
  for (let found = braces.exec(css); found !== null; found = braces.exec(css)) {
    const [mark] = found;
    if (mark[0] === '"' || mark[0] === "'") continue;
    const text = css.slice(begin, found.index).trim();
    if (skipped > 0) {
      if (mark === '{') skipped += 1;
      else if (mark === '}') skipped -= 1;
      begin = braces.lastIndex;
    } else if (mark !== '{') {
      begin = braces.lastIndex;
    } else if (text.startsWith('@')) {
      if (!/^@media\s/i.test(text) || !mediaApplies(text.slice(6))) skipped = 1;
      begin = braces.lastIndex;
    } else {
      const end = endOfBlock(css, braces.lastIndex);
      add(text, css.slice(braces.lastIndex, end));
      braces.lastIndex = end + 1;
      begin = end + 1;
    }
  }
}

function endOfBlock(css: string, from: number): number {
  const marks = /\}|"[^"\n]*"?|'[^'\n]*'?/g;
  marks.lastIndex = from;
  for (let found = marks.exec(css); found !== null; found = marks.exec(css))
    if (found[0] === '}') return found.index;
  return css.length;
}
