import { ncName } from './names.ts';
import { forbiddenCharacter, malformed, referenceCode } from './scan-markup.ts';

const qualifiedName = new RegExp(`(?:(${ncName}):)?(${ncName})(?=[\\s=/>?]|$)`, 'y');
const attributeValue = /[ \t\r\n]*=[ \t\r\n]*(?:"([^"]*)"|'([^']*)')/y;
const [colon, equalsSign, doubleQuote, ampersand] = [0x3a, 0x3d, 0x22, 0x26];
const [carriageReturn, lineFeed] = [0x0d, 0x0a];

/** Each attribute takes much more memory than its characters. */
const maxAttributes = 1 << 15;

/** ASCII characters in names. 1: not at the start. 2: anywhere. */
const nameCharacters = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code);
  nameCharacters[code] = /[A-Za-z_]/.test(char) ? 2 : /[-.0-9]/.test(char) ? 1 : 0;
}

/** An attribute, with its references resolved. `prefix` is empty if there is none. */
export interface Attribute {
  readonly prefix: string;
  readonly name: string;
  readonly value: string;
}

/**
 * Parses the name and attributes of a start tag, which is given without its brackets and without `/`:
 * `p:Message i:nil="true"`. Prefixes are not resolved.
 * @throws the error `malformed`
 */
export function parseTag(text: string): { prefix: string; name: string; attributes: Attribute[] } {
  if (forbiddenCharacter.test(text) || text.includes('<')) throw malformed;
  qualifiedName.lastIndex = 0;
  const tag = qualifiedName.exec(text);
  if (!tag) throw malformed;
  return { prefix: tag[1] ?? '', name: tag[2]!, attributes: parseAttributes(text, qualifiedName.lastIndex) };
}

/**
 * Parses the attributes of a tag, from an offset in its text to its end.
 * @throws the error `malformed`, also for more than 32,768 attributes
 */
export function parseAttributes(text: string, from: number): Attribute[] {
  const attributes: Attribute[] = [];
  let at = from;
  for (;;) {
    const start = behindSpace(text, at);
    if (start === text.length) return attributes;
    if (start === at || attributes.length === maxAttributes) throw malformed;
    at = plainAttribute(text, start, attributes) || anyAttribute(text, start, attributes);
  }
}

function behindSpace(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && (code > 0x0d || code < 0x09 || code === 0x0b || code === 0x0c)) break;
  }
  return at;
}

/**
 * Parses an attribute in its usual spelling, several times faster: a hostile tag has a hundred thousand.
 * @returns where it ends, or 0 for another spelling
 */
function plainAttribute(text: string, start: number, attributes: Attribute[]): number {
  let at = start;
  let nameStart = start;
  for (let code = text.charCodeAt(at); code !== equalsSign; code = text.charCodeAt(++at)) {
    const kind = nameCharacters[code] ?? 0;
    if (kind === 2 || (kind === 1 && at > nameStart)) continue;
    if (code !== colon || nameStart > start || at === start) return 0;
    nameStart = at + 1;
  }
  if (at === nameStart || text.charCodeAt(at + 1) !== doubleQuote) return 0;
  const end = text.indexOf('"', at + 2);
  if (end < 0) return 0;
  const prefix = nameStart === start ? '' : text.slice(start, nameStart - 1);
  attributes.push({ prefix, name: text.slice(nameStart, at), value: unescapeValue(text.slice(at + 2, end)) });
  return end + 1;
}

function anyAttribute(text: string, start: number, attributes: Attribute[]): number {
  qualifiedName.lastIndex = start;
  const name = qualifiedName.exec(text);
  if (!name) throw malformed;
  attributeValue.lastIndex = qualifiedName.lastIndex;
  const value = attributeValue.exec(text);
  if (!value) throw malformed;
  attributes.push({ prefix: name[1] ?? '', name: name[2]!, value: unescapeValue(value[1] ?? value[2]!) });
  return attributeValue.lastIndex;
}

/** Resolves references and turns each white space character into a space. */
function unescapeValue(text: string): string {
  if (!/[&\r\n\t]/.test(text)) return text;
  let value = '';
  let codes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === ampersand) {
      const end = text.indexOf(';', at);
      if (end < 0) throw malformed;
      codes.push(referenceCode(text, at + 1, end));
      at = end;
    } else if (code !== carriageReturn || text.charCodeAt(at + 1) !== lineFeed) {
      codes.push(code < 0x20 ? 0x20 : code);
    }
    if (codes.length === 4096) {
      value += String.fromCodePoint(...codes);
      codes = [];
    }
  }
  return value + String.fromCodePoint(...codes);
}

/** The XML namespaces that are in scope at the reader's position. */
export class Scopes {
  /** Namespaces of each prefix since the root. The last one counts. */
  readonly #namespaces = new Map<string, string[]>();
  /** Prefixes that each open element declares. */
  readonly #declared: string[][] = [];

  /**
   * Enters an element with the declarations among its attributes.
   * @throws the error `malformed` for an invalid declaration, an attribute that occurs twice, and a prefix
   *   that is not declared
   */
  enter(attributes: readonly Attribute[]): void {
    const declared = new Set<string>();
    for (const { prefix, name, value } of attributes) {
      if (prefix !== 'xmlns' && !(prefix === '' && name === 'xmlns')) continue;
      const declares = prefix === 'xmlns' ? name : '';
      if (declared.has(declares) || declares === 'xmlns' || (declares !== '' && value === ''))
        throw malformed;
      declared.add(declares);
      const namespaces = this.#namespaces.get(declares);
      if (namespaces) namespaces.push(value);
      else this.#namespaces.set(declares, [value]);
    }
    this.#declared.push([...declared]);
    this.#refuseTwins(attributes);
  }

  /** Leaves the element that was entered last, with its declarations. */
  leave(): void {
    for (const prefix of this.#declared.pop() ?? []) this.#namespaces.get(prefix)!.pop();
  }

  /**
   * The namespace of a prefix. The empty prefix has the default namespace, which is an empty text if none is
   * declared.
   * @throws the error `malformed` for a prefix that is not declared
   */
  resolve(prefix: string): string {
    const namespace = this.#namespaces.get(prefix)?.at(-1);
    if (namespace !== undefined) return namespace;
    if (prefix === '') return '';
    if (prefix === 'xml') return 'http://www.w3.org/XML/1998/namespace';
    throw malformed;
  }

  /** Rejects repeated attributes, whatever their prefixes. */
  #refuseTwins(attributes: readonly Attribute[]): void {
    if (attributes.length === 0) return;
    const names = new Set<string>();
    let declarations = 0;
    for (const { prefix, name } of attributes) {
      if (prefix === 'xmlns' || (prefix === '' && name === 'xmlns')) declarations++;
      else names.add(prefix === '' ? name : `${this.resolve(prefix)} ${name}`);
    }
    if (names.size + declarations < attributes.length) throw malformed;
  }
}

/**
 * Checks an XML declaration: its attributes, their order, and that the encoding is the actual one. The
 * version is required.
 * @param encodings the names of the actual encoding, in lower case
 * @throws the error `malformed`
 */
export function checkDeclaration(attributes: readonly Attribute[], encodings: readonly string[]): void {
  const order = ['version', 'encoding', 'standalone'];
  let last = -1;
  for (const { prefix, name, value } of attributes) {
    const at = order.indexOf(name);
    if (prefix !== '' || at <= last) throw malformed;
    last = at;
    if (name === 'version' && value !== '1.0') throw malformed;
    if (name === 'encoding' && !encodings.includes(value.toLowerCase())) throw malformed;
    if (name === 'standalone' && value !== 'yes' && value !== 'no') throw malformed;
  }
  if (attributes[0]?.name !== 'version') throw malformed;
}
