import { html, parse, type Token, type TreeAdapter, type TreeAdapterTypeMap } from 'parse5';

/*
 * The tree that the parser builds. Children are linked, not kept in an array: misnested tables and formatting
 * elements make the parser insert before and take out of the middle, and each of these takes the same time
 * however many siblings there are.
 */

export interface TextNode {
  readonly kind: 'text';
  text: string;
  parent: ParentNode | undefined;
  previous: ChildNode | undefined;
  next: ChildNode | undefined;
}
export interface OtherNode extends Omit<TextNode, 'kind' | 'text'> {
  readonly kind: 'other';
}
interface Children {
  first: ChildNode | undefined;
  last: ChildNode | undefined;
}
/** Among the elements of one parent, each from 1. */
export interface SiblingPlace {
  readonly index: number;
  readonly fromEnd: number;
  /** Among those of the same name. */
  readonly ofType: number;
  readonly ofTypeFromEnd: number;
}
export interface ElementNode extends Omit<TextNode, 'kind' | 'text'>, Children {
  readonly kind: 'element';
  readonly name: string;
  readonly namespace: html.NS;
  readonly attributes: Token.Attribute[];
  /** Where its start tag stands in the source; only when the parser was asked for it. */
  location: Token.ElementLocation | null | undefined;
  content: RootNode | undefined;
  /** Once it was asked for. */
  place: SiblingPlace | undefined;
}
export interface RootNode extends Children {
  readonly kind: 'root';
  mode: html.DOCUMENT_MODE;
}
export type ChildNode = TextNode | OtherNode | ElementNode;
export type ParentNode = ElementNode | RootNode;
type AnyNode = ChildNode | ParentNode;

type Types = TreeAdapterTypeMap<
  AnyNode,
  ParentNode,
  ChildNode,
  RootNode,
  RootNode,
  ElementNode,
  OtherNode,
  TextNode,
  ElementNode,
  OtherNode
>;

/** The body cannot be read within the bound of its work. */
export class UnreadableBody extends Error {}

/**
 * Steps that every body may take, and steps more for each of its characters. Real mail takes one for two to
 * twenty characters.
 */
const freeSteps = 100_000;
const stepsPerCharacter = 2;

export const isHtml = ({ namespace }: ElementNode): boolean => namespace === html.NS.HTML;

export const attributeOf = (element: ElementNode, name: string): string | undefined =>
  element.attributes.find((attribute) => attribute.name === name)?.value;

const doctype = '<!DOCTYPE html>';

/**
 * Parses a body as a browser without scripts does.
 * @throws UnreadableBody when its misnesting makes the parser build far more than was written
 */
export function parseHtml(body: string, { locations = false }: { locations?: boolean } = {}): RootNode {
  return parse<Types>(doctype + body, {
    treeAdapter: treeAdapter(freeSteps + stepsPerCharacter * body.length),
    scriptingEnabled: false,
    sourceCodeLocationInfo: locations,
  });
}

/** Offsets that the parser gives count this much more than the body's own. */
export const offsetOfBody = doctype.length;

const newRoot = (): RootNode => ({
  kind: 'root',
  mode: html.DOCUMENT_MODE.NO_QUIRKS,
  first: undefined,
  last: undefined,
});
const unlinked = { parent: undefined, previous: undefined, next: undefined };
const newText = (text: string): TextNode => ({ kind: 'text', text, ...unlinked });
const newOther = (): OtherNode => ({ kind: 'other', ...unlinked });

function detach(node: ChildNode): void {
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

/** Links a node in before another child, or at the end. */
function link(parent: ParentNode, node: ChildNode, before: ChildNode | undefined): void {
  const previous = before === undefined ? parent.last : before.previous;
  node.parent = parent;
  node.previous = previous;
  node.next = before;
  if (previous === undefined) parent.first = node;
  else previous.next = node;
  if (before === undefined) parent.last = node;
  else before.previous = node;
}

/** The attributes of a second `<html>` or `<body>` that matter here. */
const adopted = new Set(['bgcolor', 'class', 'dir', 'hidden', 'id', 'lang', 'style', 'text']);

function* childrenOf(parent: ParentNode): Iterable<ChildNode> {
  for (let node = parent.first; node !== undefined; node = node.next) yield node;
}

function treeAdapter(budget: number): TreeAdapter<Types> {
  let steps = 0;
  const step = () => {
    steps += 1;
    if (steps > budget)
      throw new UnreadableBody('The HTML is misnested: it stands for far more than it says');
  };
  const insert = (parent: ParentNode, node: ChildNode, before?: ChildNode) => {
    step();
    link(parent, node, before);
  };
  const write = (parent: ParentNode, text: string, before?: ChildNode) => {
    const previous = before === undefined ? parent.last : before.previous;
    if (previous?.kind === 'text') previous.text += text;
    else insert(parent, newText(text), before);
  };
  return {
    createDocument: newRoot,
    createDocumentFragment: newRoot,
    createElement(name, namespace, attributes) {
      step();
      const children = {
        first: undefined,
        last: undefined,
        location: undefined,
        content: undefined,
        place: undefined,
      };
      return { kind: 'element', name, namespace, attributes, ...unlinked, ...children };
    },
    createCommentNode: newOther,
    createTextNode: newText,
    appendChild: insert,
    insertBefore: insert,
    insertText: write,
    insertTextBefore: write,
    detachNode(node) {
      step();
      detach(node);
    },
    adoptAttributes(recipient, attributes) {
      for (const attribute of attributes)
        if (adopted.has(attribute.name) && attributeOf(recipient, attribute.name) === undefined)
          recipient.attributes.push(attribute);
    },
    setTemplateContent(template, content) {
      template.content = content;
    },
    getTemplateContent: (template) => template.content!,
    setDocumentType() {},
    setDocumentMode(document, mode) {
      document.mode = mode;
    },
    getDocumentMode: ({ mode }) => mode,
    getFirstChild: ({ first }) => first ?? null,
    getChildNodes: (parent) => [...childrenOf(parent)],
    getParentNode: (node) => (node.kind === 'root' ? null : (node.parent ?? null)),
    getAttrList: ({ attributes }) => attributes,
    getTagName: ({ name }) => name,
    getNamespaceURI: ({ namespace }) => namespace,
    getTextNodeContent: ({ text }) => text,
    getCommentNodeContent: () => '',
    getDocumentTypeNodeName: () => 'html',
    getDocumentTypeNodePublicId: () => '',
    getDocumentTypeNodeSystemId: () => '',
    isTextNode: (node) => node.kind === 'text',
    isCommentNode: (node): node is OtherNode => node.kind === 'other',
    isDocumentTypeNode: (_node): _node is OtherNode => false,
    isElementNode: (node) => node.kind === 'element',
    setNodeSourceCodeLocation(node, location) {
      if (node.kind === 'element') node.location = location;
    },
    getNodeSourceCodeLocation: (node) => (node.kind === 'element' ? node.location : undefined),
    updateNodeSourceCodeLocation() {},
  };
}
