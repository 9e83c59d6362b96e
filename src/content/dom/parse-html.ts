import { parse, type Token, type TreeAdapter, type TreeAdapterTypeMap } from 'parse5';
import { GrowingText, inPieces } from './large-strings.ts';
import {
  attributeOf,
  type ChildNode,
  type CommentNode,
  childrenOf,
  detach,
  type ElementNode,
  link,
  newComment,
  newElement,
  newRoot,
  newText,
  type ParentNode,
  type RootNode,
  rareOf,
  type TextNode,
  UnreadableBody,
} from './tree.ts';

type Types = TreeAdapterTypeMap<
  ChildNode | ParentNode,
  ParentNode,
  ChildNode,
  RootNode,
  RootNode,
  ElementNode,
  CommentNode,
  TextNode,
  ElementNode,
  CommentNode
>;

/**
 * Steps (nodes created, inserted or removed) that every body may take, and further steps per character. Real
 * mail takes one step for 2 to 20 characters.
 */
const freeSteps = 100_000;
const stepsPerCharacter = 2;
/**
 * Elements that may be open at the same time. The parser indexes its stack of open elements at 300 bytes an
 * element: 4 MiB of `<b>` would fill a gigabyte. Browsers nest 512 elements at most.
 */
const maxOpenElements = 131_072;

/** The parser makes a string for the name of each tag, and an array for its attributes. */
const maxNames = 1000;
const none: Token.Attribute[] = [];

const doctype = '<!DOCTYPE html>';
/**
 * Characters of the doctype that {@link parseHtml} puts before the body. Subtract it from the offsets in
 * locations to get those in the body.
 */
export const offsetOfBody = doctype.length;

/**
 * Parses a body as a browser does with scripting disabled, in standards mode. Scripts, styles and hidden
 * content are in the tree as well; comments are without their text.
 * @param locations whether to record where each element is in the source, in `rare.location`. A CR before an
 *   LF becomes a tab in the texts then
 * @returns the document, always with `html`, `head` and `body`
 * @throws UnreadableBody when misnested tags make the parser build far more than was written, or when too
 *   many elements are nested
 */
export function parseHtml(body: string, { locations = false }: { locations?: boolean } = {}): RootNode {
  const texts = new TextTail();
  const root = parse<Types>(doctype + withPlainLineEnds(body, locations), {
    treeAdapter: { ...building(freeSteps + stepsPerCharacter * body.length, texts), ...reading },
    scriptingEnabled: false,
    sourceCodeLocationInfo: locations,
  });
  texts.finish();
  return root;
}

/**
 * Normalizes line ends, which the parser would do one by one at 32 bytes for each. With `locations` the
 * length must not change, so the CR of a CRLF becomes a tab, which separates words as well and is ignored in
 * a URL.
 */
function withPlainLineEnds(body: string, locations: boolean): string {
  if (!body.includes('\r')) return body;
  const lineEnd = (written: string) => (written === '\r\n' && locations ? '\t\n' : '\n');
  return inPieces(body, (piece) => piece.replace(/\r\n?/g, lineEnd));
}

/** Collects what the parser appends to a text node, because it appends a word or a blank at a time. */
class TextTail {
  #node: TextNode | undefined;
  #tail = new GrowingText();

  add(node: TextNode, words: string): void {
    if (node !== this.#node) this.finish();
    this.#node = node;
    this.#tail.add(words);
  }

  /** Appends what was collected to its node. */
  finish(): void {
    if (this.#node === undefined) return;
    this.#node.text += this.#tail.text;
    this.#node = undefined;
    this.#tail = new GrowingText();
  }
}

/** The attributes of a second `<html>` or `<body>` that are merged into the first. */
const adoptedAttributes = new Set(['bgcolor', 'class', 'dir', 'hidden', 'id', 'lang', 'style', 'text']);

type Building = Pick<
  TreeAdapter<Types>,
  | ('createElement' | 'appendChild' | 'insertBefore' | 'insertText' | 'insertTextBefore' | 'detachNode')
  | ('onItemPush' | 'onItemPop')
>;

/** The operations that cost work; `budget` limits their number. */
function building(budget: number, texts: TextTail): Building {
  let steps = 0;
  let open = 0;
  const names = new Map<string, string>();
  const step = () => {
    steps += 1;
    if (steps > budget)
      throw new UnreadableBody(
        'The HTML is misnested: a browser would build far more elements than were written',
      );
  };
  const insert = (parent: ParentNode, node: ChildNode, before?: ChildNode) => {
    step();
    link(parent, node, before);
  };
  const write = (parent: ParentNode, text: string, before?: ChildNode) => {
    const previous = before === undefined ? parent.last : before.previous;
    if (previous?.kind === 'text') texts.add(previous, text);
    else insert(parent, newText(text), before);
  };
  return {
    createElement(name, namespace, attributes) {
      step();
      if (names.size < maxNames && !names.has(name)) names.set(name, name);
      return newElement(names.get(name) ?? name, namespace, attributes.length === 0 ? none : attributes);
    },
    appendChild: insert,
    insertBefore: insert,
    insertText: write,
    insertTextBefore: write,
    detachNode(node) {
      step();
      detach(node);
    },
    onItemPush() {
      open += 1;
      if (open > maxOpenElements)
        throw new UnreadableBody(`The HTML nests more than ${maxOpenElements} elements in one another`);
    },
    onItemPop() {
      open -= 1;
    },
  };
}

const reading: Omit<TreeAdapter<Types>, keyof Building> = {
  createDocument: newRoot,
  createDocumentFragment: newRoot,
  createCommentNode: newComment,
  createTextNode: newText,
  adoptAttributes(recipient, attributes) {
    for (const attribute of attributes)
      if (adoptedAttributes.has(attribute.name) && attributeOf(recipient, attribute.name) === undefined)
        recipient.attributes = [...recipient.attributes, attribute];
  },
  setTemplateContent(template, content) {
    rareOf(template).content = content;
  },
  getTemplateContent: (template) => template.rare!.content!,
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
  isCommentNode: (node): node is CommentNode => node.kind === 'comment',
  isDocumentTypeNode: (_node): _node is CommentNode => false,
  isElementNode: (node) => node.kind === 'element',
  setNodeSourceCodeLocation(node, location) {
    if (node.kind === 'element') rareOf(node).location = location;
  },
  getNodeSourceCodeLocation: (node) => (node.kind === 'element' ? node.rare?.location : undefined),
  updateNodeSourceCodeLocation() {},
};
