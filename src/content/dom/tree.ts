import { html, type Token } from 'parse5';

/*
 * The tree that the parser builds. Siblings form a linked list, not an array: misnested tables and formatting
 * elements make the parser insert and remove in the middle, and a list does this in constant time.
 */

interface Links {
  parent: ParentNode | undefined;
  previous: ChildNode | undefined;
  next: ChildNode | undefined;
}
/** A run of text, decoded. */
export interface TextNode extends Links {
  readonly kind: 'text';
  text: string;
}
/** A comment. Its text is not kept. */
export interface CommentNode extends Links {
  readonly kind: 'comment';
}
interface Children {
  first: ChildNode | undefined;
  last: ChildNode | undefined;
}
/** The position of an element among the elements of its parent, counted from 1. */
export interface SiblingPlace {
  /** Counted from the first sibling. */
  readonly index: number;
  /** Counted from the last sibling. */
  readonly fromEnd: number;
  /** Among siblings of the same name. */
  readonly ofType: number;
  readonly ofTypeFromEnd: number;
}
/** An element and its children. */
export interface ElementNode extends Links, Children {
  readonly kind: 'element';
  /** In lower case for HTML. */
  readonly name: string;
  readonly namespace: html.NS;
  attributes: Token.Attribute[];
  rare: RareFields | undefined;
}
/**
 * Fields that few elements have. Another field in every element would cost a body of a million elements 8 MB.
 */
export interface RareFields {
  /** Position of the start tag in the source. Set only when locations were requested. */
  location?: Token.ElementLocation | null;
  /** The content of a `template`. */
  content?: RootNode;
  /** Computed on first use. */
  place?: SiblingPlace;
}
/** The document. */
export interface RootNode extends Children {
  readonly kind: 'root';
  mode: html.DOCUMENT_MODE;
}
/** A node that has a parent. */
export type ChildNode = TextNode | CommentNode | ElementNode;
/** A node that can have children. */
export type ParentNode = ElementNode | RootNode;

/** The body cannot be read within the limits on work and memory. The message tells its author why. */
export class UnreadableBody extends Error {}

/** Whether an element is HTML, not SVG or MathML. */
export const isHtml = ({ namespace }: ElementNode): boolean => namespace === html.NS.HTML;

/** Whether an element is one of SVG. */
export const isSvg = ({ namespace }: ElementNode): boolean => namespace === html.NS.SVG;

/**
 * The value of an attribute, decoded; undefined if the element does not have it.
 * @param name in lower case
 */
export function attributeOf({ attributes }: ElementNode, name: string): string | undefined {
  for (const attribute of attributes) if (attribute.name === name) return attribute.value;
  return undefined;
}

/** Creates an empty document. */
export const newRoot = (): RootNode => ({
  kind: 'root',
  mode: html.DOCUMENT_MODE.NO_QUIRKS,
  first: undefined,
  last: undefined,
});

/*
 * Nodes are written as flat literals: spreading shared fields into them takes V8's slow path, which costs
 * twice the time and memory for each element.
 */

/** Creates a text node without a parent. */
export const newText = (text: string): TextNode => ({
  kind: 'text',
  text,
  parent: undefined,
  previous: undefined,
  next: undefined,
});

/** Creates a comment without a parent. */
export const newComment = (): CommentNode => ({
  kind: 'comment',
  parent: undefined,
  previous: undefined,
  next: undefined,
});

/** Creates an element without a parent and without children. */
export const newElement = (name: string, namespace: html.NS, attributes: Token.Attribute[]): ElementNode => ({
  kind: 'element',
  name,
  namespace,
  attributes,
  parent: undefined,
  previous: undefined,
  next: undefined,
  first: undefined,
  last: undefined,
  rare: undefined,
});

/** The element's rare fields, created on first use. */
export function rareOf(element: ElementNode): RareFields {
  element.rare ??= {};
  return element.rare;
}

/** Removes a node with its children from its parent. Does nothing without a parent. */
export function detach(node: ChildNode): void {
  const { parent, previous, next } = node;
  if (parent === undefined) return;
  if (previous === undefined) parent.first = next;
  else previous.next = next;
  if (next === undefined) parent.last = previous;
  else next.previous = previous;
  node.parent = undefined;
  node.previous = undefined;
  node.next = undefined;
}

/**
 * Inserts a node that has no parent.
 * @param before the child of `parent` that will follow it; undefined: at the end
 */
export function link(parent: ParentNode, node: ChildNode, before: ChildNode | undefined): void {
  const previous = before === undefined ? parent.last : before.previous;
  node.parent = parent;
  node.previous = previous;
  node.next = before;
  if (previous === undefined) parent.first = node;
  else previous.next = node;
  if (before === undefined) parent.last = node;
  else before.previous = node;
}

/** Yields the children of a node in order, comments too. The content of a `template` is not among them. */
export function* childrenOf(parent: ParentNode): Iterable<ChildNode> {
  for (let node = parent.first; node !== undefined; node = node.next) yield node;
}
