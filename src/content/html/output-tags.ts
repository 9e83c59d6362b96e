import type { Attributes } from '../dom/markup-writer.ts';
import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { shownStyle } from '../style/allowed-style.ts';
import type { Declared } from '../style/cascade.ts';
import { parseLegacyColour } from '../style/colours.ts';
import type { TextStyle } from '../style/computed-style.ts';
import { shownAttributes } from './allowed-attributes.ts';
import { type ElementRule, mayContainStrike } from './element-rules.ts';
import type { ListItem } from './list-counter.ts';

/** The tags of an element in the output. */
export interface Tags {
  /** The element's name in the output; undefined to write the content only. */
  readonly name: string | undefined;
  /** Allowed attributes with their values, not escaped. */
  readonly attributes: Attributes;
  /** Whether to wrap the content in `s`, because its style strikes it through. */
  readonly struck: boolean;
  /** Whether positioning was removed from its style. */
  readonly displaced: boolean;
}

/**
 * The attributes of a link. It opens in a new tab and sends no referrer.
 * @param url an allowed target; it is not checked here
 */
export const outward = (url: string): Attributes => [
  ['href', url],
  ['target', '_blank'],
  ['rel', 'noopener noreferrer nofollow'],
];

/**
 * The tags and attributes with which an element is written: only allowed ones, with the allowed part of its
 * cascaded style. Writes nothing.
 * @param rule the element's rule
 * @param declared the element's cascaded style
 * @param url the allowed target of a link; undefined: an `a` is written as `span`
 * @param around the style of the surrounding text
 * @param item how a list item is shown; undefined for other elements
 */
export function tagsOf(
  element: ElementNode,
  rule: ElementRule,
  declared: Declared,
  {
    url,
    around,
    item,
  }: { readonly url: string | undefined; readonly around: TextStyle; readonly item: ListItem | undefined },
): Tags {
  const { style, displaced } = shownStyle(declared);
  const styles = [attributeStyle(element, rule, declared, around), style, item?.style ?? '']
    .filter((one) => one !== '')
    .join(';');
  const struck = isStruck(styles) && mayContainStrike.has(rule.as ?? 'span');
  const shown = struck ? unstruck(styles) : styles;
  const link = element.name === 'a' && url !== undefined;
  const usual =
    element.name === 'a' && !link ? 'span' : (rule.as ?? (rule.lines === undefined ? 'span' : 'div'));
  const attributes: Attributes = [
    ...(link ? outward(url) : []),
    ...shownAttributes(element, usual),
    ...(item?.value === undefined ? [] : [['value', String(item.value)] as const]),
    ...(shown === '' ? [] : [['style', shown] as const]),
  ];
  const dispensable = rule.as === undefined || usual !== rule.as || /^(?:html|body|form)$/.test(element.name);
  return { name: dispensable && attributes.length === 0 ? undefined : usual, attributes, struck, displaced };
}

/** The style for attributes that the element in the output does not have. */
function attributeStyle(
  element: ElementNode,
  rule: ElementRule,
  declared: Declared,
  around: TextStyle,
): string {
  if (element.name === 'body') {
    const colours = [
      ['background-color', attributeOf(element, 'bgcolor')],
      ['color', attributeOf(element, 'text')],
    ] as const;
    return colours
      .flatMap(([property, value]) => {
        const colour = value === undefined ? undefined : parseLegacyColour(value);
        return colour === undefined ? [] : [`${property}:rgb(${colour.slice(0, 3).join(',')})`];
      })
      .join(';');
  }
  return around.boxes && rule.lines === undefined && !declared.has('display') ? 'display:block' : '';
}

const decoration = /(^|;)text-decoration:([a-z -]*)/;
const isStruck = (style: string): boolean => decoration.exec(style)?.[2]?.includes('line-through') ?? false;

/** Removes line-through, as mail programs support the element `s` better. */
const unstruck = (style: string): string =>
  style
    .replace(decoration, (_, before: string, lines: string) => {
      const rest = lines.replace('line-through', '').replace(/\s+/g, ' ').trim();
      return rest === '' ? '' : `${before}text-decoration:${rest}`;
    })
    .replace(/^;/, '');
