import { parse, type TreeAdapter, type TreeAdapterTypeMap } from 'parse5';
import {
  attributeOf,
  type ChildNode,
  childrenOf,
  detach,
  type ElementNode,
  link,
  newElement,
  newOther,
  newRoot,
  newText,
  type OtherNode,
  type ParentNode,
  type RootNode,
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
  OtherNode,
  TextNode,
  ElementNode,
  OtherNode
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

const doctype = '<!DOCTYPE html>';
/** Offsets in locations count from the doctype, which is this much longer than counting from the body. */
export const offsetOfBody = doctype.length;

/**
 * Parses a body as a browser does with scripting disabled.
 * @param locations whether to record where each element is in the source
 * @throws UnreadableBody when misnested tags make the parser build far more than was written, or when too
 *   many elements are nested
 */
export function parseHtml(body: string, { locations = false }: { locations?: boolean } = {}): RootNode {
  return parse<Types>(doctype + body, {
    treeAdapter: treeAdapter(freeSteps + stepsPerCharacter * body.length),
    scriptingEnabled: false,
    sourceCodeLocationInfo: locations,
  });
}

/** The attributes of a second `<html>` or `<body>` that are merged into the first. */
const adoptedAttributes = new Set(['bgcolor', 'class', 'dir', 'hidden', 'id', 'lang', 'style', 'text']);

function treeAdapter(budget: number): TreeAdapter<Types> {
  return { ...building(budget), ...reading };
}

type Building = Pick<
  TreeAdapter<Types>,
  | ('createElement' | 'appendChild' | 'insertBefore' | 'insertText' | 'insertTextBefore' | 'detachNode')
  | ('onItemPush' | 'onItemPop')
>;

/** The operations that cost work; `budget` limits their number. */
function building(budget: number): Building {
  let steps = 0;
  let open = 0;
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
    createElement(name, namespace, attributes) {
      step();
      return newElement(name, namespace, attributes);
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
  createCommentNode: newOther,
  createTextNode: newText,
  adoptAttributes(recipient, attributes) {
    for (const attribute of attributes)
      if (adoptedAttributes.has(attribute.name) && attributeOf(recipient, attribute.name) === undefined)
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
