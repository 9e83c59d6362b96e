import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cleanHtml } from '../../../src/content/html/clean-html.ts';
import { elementRules } from '../../../src/content/html/element-rules.ts';
import { sampled } from '../../support/soak.ts';

/*
 * An object that serves as a table also has what every object inherits: `table['constructor']` is a function.
 * A sender may write these words wherever HTML and CSS have one of their own.
 */

const words = sampled(Object.getOwnPropertyNames(Object.prototype), 10);

const code = ['html', 'style'].flatMap((folder) => {
  const url = new URL(`../../../src/content/${folder}/`, import.meta.url);
  return readdirSync(url).map((file) => readFileSync(new URL(file, url), 'utf8'));
});
/** Attributes that hide with any value. */
const hiding = new Set(['hidden', 'popover']);
/** Words of the cleaner's code, without these. */
const wordsOf = (pattern: RegExp): string[] => [
  ...new Set(
    code.flatMap((text) =>
      [...text.matchAll(pattern)].map(([, word]) => word!).filter((word) => !hiding.has(word)),
    ),
  ),
];
/** All that it quotes: among them are the names of all attributes and properties that it knows. */
const quoted = wordsOf(/'(-?[a-z]+(?:-[a-z]+)*)'/g);
/** The attributes that it reads or lets through. */
const attributes = wordsOf(/(?:attributeOf\([^)]*|\[)'([a-z-]+)'[,)]/g);

/** Writes an element for each name, with a marker in it: none may get lost, nor anything around them. */
function expectAllShown(
  write: (name: string, marker: string) => string,
  { names = quoted, head = '' }: { names?: readonly string[]; head?: string } = {},
): void {
  const markers = names.map((_, at) => `m${at}m`);
  const body = names.map((name, at) => write(name, markers[at]!)).join('\n');
  const { html, text } = cleanHtml(`${head}<div>begin</div>${body}<div>end</div>`, 'SHOWN');
  for (const written of [html, text]) {
    expect(written).not.toMatch(/native code|object Object|function/);
    expect(['begin', ...markers, 'end'].filter((marker) => !written.includes(marker))).toEqual([]);
  }
}

describe.each(words)('the word %s of a sender is no word of ours', (word) => {
  test('as the value of an attribute, of an item and of a cell as well', () => {
    expectAllShown((name, marker) => `<p ${name}="${word}">${marker}</p>`);
    expectAllShown((name, marker) => `<ul ${name}="${word}"><li ${name}="${word}">${marker}</li></ul>`);
    expectAllShown((name, marker) => `<ol><li ${name}="${word.toUpperCase()}">${marker}</li></ol>`);
    expectAllShown((name, marker) => `<table><tr><td ${name}="${word}">${marker}</td></tr></table>`);
    expectAllShown((name, marker) => `<font ${name}="${word}">${marker}</font><input ${name}="${word}">`);
  });

  test('as the name of an attribute', () => {
    expectAllShown((name, marker) => `<p ${word}="${name}">${marker}</p>`);
  });

  test('as the value of a property and as its unit', () => {
    expectAllShown((name, marker) => `<p style="${name}:${word}">${marker}</p>`);
    expectAllShown((name, marker) => `<li style="${name}:5${word} ${word}">${marker}</li>`);
    expectAllShown((name, marker) => `<p title="${name}">${marker}</p>`, {
      head: sheetOf(word),
    });
  });

  test('as the name of a property', () => {
    expectAllShown((name, marker) => `<p style="${word}:${name}">${marker}</p>`);
  });

  test('as the name of an element, which is shown with nothing to report', () => {
    expectAllShown((name, marker) => `<${word} type="${name}">${marker}</${word}>`);
    const name = /^[a-z]/i.test(word) ? word : `x${word}`;
    const { text, changes } = cleanHtml(`<p>a <${name}>b</${name}> c</p>`, 'HELD');
    expect({ text, changes }).toEqual({ text: 'a b c', changes: [] });
  });

  test('as the value of any attribute of any element', () => {
    for (const [element, rule] of sampled([...elementRules], 3)) {
      if (rule.drop === true) continue;
      const open = element === 'dialog' ? ' open' : '';
      expectAllShown((name, marker) => `<${element} ${name}="${word}"${open}>${marker}</${element}>`, {
        names: attributes,
      });
    }
  });
});

/** Rules of which a browser drops each, or which apply to nothing. */
function sheetOf(word: string): string {
  const selectors = [`p:nth-child(${word})`, `p:${word}(2)`, `p:${word}`, `.${word}`, `[${word}="x"]`, word];
  const conditions = [`media (${word})`, `media (${word}: 5)`, `media ${word}`, `media (1${word} <= width)`];
  const rules = [...selectors, ...conditions.map((one) => `@${one}{p`)].map(
    (one) => `${one}{display:none}${one.startsWith('@') ? '}' : ''}`,
  );
  return `<style>${rules.join('\n')}</style>`;
}
