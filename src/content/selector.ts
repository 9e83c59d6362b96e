import { attributeOf, type ElementNode } from './tree.ts';

interface Compound {
  readonly name: string | undefined;
  readonly id: string | undefined;
  readonly classes: readonly string[];
  readonly attributes: readonly { readonly name: string; readonly value: string | undefined }[];
  /** Whether it must be the parent of what follows, or any ancestor. */
  readonly parent: boolean;
}

export interface Selector {
  /** `#id`, `.class`, a name or `*`: what the element itself must at least have. */
  readonly key: string;
  /** From the element itself outwards. */
  readonly compounds: readonly Compound[];
  readonly specificity: number;
}

/** Ancestors that a selector may name. */
const maxCompounds = 8;
const piece = /^(?:([.#])([a-z0-9_\u0080-\uffff-]+)|\[\s*([a-z-]+)\s*(?:=\s*["']?([^"'\]]*)["']?\s*)?\])/i;

function compileCompound(text: string, parent: boolean): Compound | undefined {
  const name = /^(?:\*|[a-z][a-z0-9]*)/i.exec(text)?.[0] ?? '';
  const classes: string[] = [];
  const attributes: { name: string; value: string | undefined }[] = [];
  let id: string | undefined;
  let rest = text.slice(name.length);
  while (rest !== '') {
    const [whole, mark, word, attribute, value] = piece.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    if (mark === '.') classes.push(word!);
    else if (mark === '#') id = word;
    else attributes.push({ name: attribute!.toLowerCase(), value });
    rest = rest.slice(whole.length);
  }
  return {
    name: name === '' || name === '*' ? undefined : name.toLowerCase(),
    ...{ id, classes, attributes, parent },
  };
}

/** A selector of names, classes, ids and attributes; undefined for one that asks for more, as of what a pointer does. */
export function compileSelector(text: string): Selector | undefined {
  if (text.length > 300) return undefined;
  const words = text
    .trim()
    .replace(/\s*>\s*/g, ' >')
    .split(/\s+/)
    .reverse();
  if (words[0] === '' || words.length > maxCompounds) return undefined;
  const compounds: Compound[] = [];
  for (const [index, word] of words.entries()) {
    const compound = compileCompound(word.replace(/^>/, ''), words[index - 1]?.startsWith('>') ?? false);
    if (compound === undefined) return undefined;
    compounds.push(compound);
  }
  const [self] = compounds;
  const specificity = compounds.reduce(
    (sum, one) =>
      sum +
      (one.id === undefined ? 0 : 10_000) +
      100 * (one.classes.length + one.attributes.length) +
      (one.name === undefined ? 0 : 1),
    0,
  );
  const key =
    self!.id !== undefined
      ? `#${self!.id}`
      : self!.classes.length > 0
        ? `.${self!.classes[0]}`
        : (self!.name ?? '*');
  return { key, compounds, specificity };
}

export const classesOf = (element: ElementNode): readonly string[] =>
  attributeOf(element, 'class')
    ?.split(/[ \t\n\f\r]+/)
    .filter((name) => name !== '') ?? [];

function fits(element: ElementNode, { name, id, classes, attributes }: Compound): boolean {
  if (name !== undefined && element.name !== name) return false;
  if (id !== undefined && attributeOf(element, 'id') !== id) return false;
  if (classes.length > 0) {
    const own = classesOf(element);
    if (!classes.every((one) => own.includes(one))) return false;
  }
  return attributes.every((one) => {
    const value = attributeOf(element, one.name);
    return value !== undefined && (one.value === undefined || value === one.value);
  });
}

const parentOf = ({ parent }: ElementNode): ElementNode | undefined =>
  parent?.kind === 'element' ? parent : undefined;

/** Whether the selector means the element; each element that is looked at is paid for. */
export function matches(
  element: ElementNode,
  { compounds }: Selector,
  spend: (steps: number) => void,
): boolean {
  spend(1);
  if (!fits(element, compounds[0]!)) return false;
  let ancestor = parentOf(element);
  for (const compound of compounds.slice(1)) {
    if (!compound.parent)
      while (ancestor !== undefined && !fits(ancestor, compound)) {
        spend(1);
        ancestor = parentOf(ancestor);
      }
    if (ancestor === undefined || !fits(ancestor, compound)) return false;
    ancestor = parentOf(ancestor);
  }
  return true;
}
