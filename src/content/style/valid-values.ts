import { parseColour } from './colours.ts';

/*
 * Values that browsers reject, of properties that decide whether a text is seen. An invalid declaration
 * overrides nothing: `opacity:0;opacity:alpha(opacity=90)` hides.
 */

const anywhere = /^(?:inherit|initial|unset|revert|revert-layer)$/;
/** Functions are not evaluated here: they may have any value. */
const computed = /\b(?:var|env|calc|min|max|clamp|attr)\(/;

const visibility = /^(?:visible|hidden|collapse)$/;

const opacity = /^[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?%?$/;

const display = new RegExp(
  `^(?:${[
    'none|contents|(?:inline-)?(?:block|table|flex|grid)',
    'table-(?:row|cell|column|caption|(?:row|column|header|footer)-group)',
    '-webkit-(?:inline-)?(?:box|flex)|ruby(?:-(?:base|text)(?:-container)?)?',
    '(?:(?:block|inline|flow|flow-root|list-item|run-in|table|flex|grid|ruby|math)(?: +|$)){1,3}',
  ].join('|')})$`,
);

const fontSize = new RegExp(
  `^(?:${[
    'xx-small|x-small|small|medium|large|x-large|xx-large|xxx-large|smaller|larger|math',
    '[+-]?0+(?:\\.0+)?|[+-]?(?:\\d+(?:\\.\\d+)?|\\.\\d+)(?:e[+-]?\\d+)?(?:[a-z]+|%)',
  ].join('|')})$`,
);

const isNegative = (value: string): boolean => value.startsWith('-') && Number.parseFloat(value) < 0;

const length = /^(?:[+-]?0+(?:\.0+)?|[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?(?:[a-z]+|%))$/;
const sizeWord = /^(?:(?:min|max|fit)-content|stretch|-(?:webkit|moz)-[a-z-]+|[a-z-]+\(.*)$/s;
const isSize = (value: string): boolean => (length.test(value) && !isNegative(value)) || sizeWord.test(value);
const isExtent = (value: string): boolean => value === 'auto' || isSize(value);
const isMaximum = (value: string): boolean => value === 'none' || isSize(value);

const numbersOnly = /^(?:#|rgba?\([\d\s.,%/+-]*(?:\)|$))/;
/** Words may be those of the system, and not every function is read here. */
const isColour = (value: string): boolean => !numbersOnly.test(value) || parseColour(value) !== undefined;

const tests: ReadonlyMap<string, (value: string) => boolean> = new Map(
  Object.entries({
    visibility: (value) => visibility.test(value),
    opacity: (value) => opacity.test(value),
    display: (value) => display.test(value),
    'font-size': (value) => fontSize.test(value) && !isNegative(value),
    width: isExtent,
    height: isExtent,
    'max-width': isMaximum,
    'max-height': isMaximum,
    color: isColour,
    'background-color': isColour,
    '-webkit-text-fill-color': isColour,
  }),
);

/**
 * Whether a value may be one of its property. Not every invalid value is known: true for those of other
 * properties, for words and functions as colours, and for functions that are computed.
 * @param value in lower case, without white space around it
 */
export function isValid(property: string, value: string): boolean {
  const test = tests.get(property);
  return test === undefined || anywhere.test(value) || computed.test(value) || test(value);
}
