import { expect, test } from 'vitest';
import { mediaApplies, supportsApplies } from '../../../src/content/style/conditional-rules.ts';

/* Media queries by the specification (Media Queries 4), where a result that is unknown counts as false. */

test.each([
  ['', true],
  ['screen', true],
  ['print,', false],
  ['print, screen', true],
  ['not all and (monochrome)', true],
  ['not all and (-ms-high-contrast: active)', false],
  ['not all and (-ms-high-contrast: active) and (min-width: 100px)', false],
  ['not all and (-ms-high-contrast: active) and (max-width: 100px)', true],
  ['(min-width: 100px) or (-ms-high-contrast: active)', true],
  ['(prefers-reduced-motion)', false],
  ['(prefers-reduced-motion: no-preference)', true],
  ['(prefers-contrast)', false],
  ['(prefers-color-scheme)', true],
  ['(hover)', true],
  ['(min-resolution: .001dpcm)', true],
  ['(-webkit-min-device-pixel-ratio: .0001)', true],
  ['(-webkit-min-device-pixel-ratio: 2)', false],
  ['(-webkit-transform-3d)', true],
  ['(constructor)', false],
  ['not (constructor: 5)', false],
  ['(400px <= width < 1200px)', true],
])('@media %s: %s', (query, applies) => expect(mediaApplies(query)).toBe(applies));

test.each([
  ['(display: grid)', true],
  ['(-moz-appearance: none)', false],
  ['selector(:has(a))', undefined],
  ['selector(:has(a)) and (display: grid)', undefined],
  ['selector(:has(a)) and (-moz-appearance: none)', false],
  ['selector(:has(a)) or (display: grid)', true],
  ['not selector(:has(a))', undefined],
])('@supports %s: %s', (condition, applies) => expect(supportsApplies(condition)).toBe(applies));
