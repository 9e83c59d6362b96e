import { namespaces } from './post.ts';
import { malformed, noCharacter, reference } from './xml-markup.ts';
import { ncName } from './xml-name.ts';
import { xmlBoolean } from './xml-value.ts';

const qualifiedName = new RegExp(`(?:(${ncName}):)?(${ncName})(?=[\\s=/>?]|$)`, 'y');
const attributeValue = /[ \t\r\n]*=[ \t\r\n]*(?:"([^"<]*)"|'([^'<]*)')/y;
const space = /[ \t\r\n]+/y;

export interface Attribute {
  readonly prefix: string;
  readonly name: string;
  readonly value: string;
}

/** Name and attributes between the brackets of a tag: `p:Message i:nil="true"`. */
export function parseTag(text: string): { prefix: string; name: string; attributes: Attribute[] } {
  if (noCharacter.test(text)) throw malformed;
  qualifiedName.lastIndex = 0;
  const tag = qualifiedName.exec(text);
  if (!tag) throw malformed;
  return { prefix: tag[1] ?? '', name: tag[2]!, attributes: parseAttributes(text, qualifiedName.lastIndex) };
}

export function parseAttributes(text: string, from: number): Attribute[] {
  const attributes: Attribute[] = [];
  let at = from;
  for (;;) {
    space.lastIndex = at;
    const spaced = space.test(text);
    if (spaced) at = space.lastIndex;
    if (at === text.length) return attributes;
    if (!spaced) throw malformed;
    qualifiedName.lastIndex = at;
    const name = qualifiedName.exec(text);
    if (!name) throw malformed;
    attributeValue.lastIndex = qualifiedName.lastIndex;
    const value = attributeValue.exec(text);
    if (!value) throw malformed;
    at = attributeValue.lastIndex;
    attributes.push({ prefix: name[1] ?? '', name: name[2]!, value: unescapeValue(value[1] ?? value[2]!) });
  }
}

function unescapeValue(text: string): string {
  const plain = text.includes('&')
    ? text.replace(/&([^;]*)(;?)/g, (_, name, end) => reference(end && name))
    : text;
  return plain.replace(/\r\n|[\r\n\t]/g, ' ');
}

/** The namespaces that are declared where the reader stands. */
export class Scopes {
  readonly #prefixes: Map<string, string>[] = [];

  /** Enters an element, which may declare some. */
  enter(attributes: readonly Attribute[]): void {
    const declared = new Map<string, string>();
    for (const { prefix, name, value } of attributes) {
      if (prefix !== 'xmlns' && !(prefix === '' && name === 'xmlns')) continue;
      const declares = prefix === 'xmlns' ? name : '';
      if (declared.has(declares) || declares === 'xmlns' || (declares !== '' && value === ''))
        throw malformed;
      declared.set(declares, value);
    }
    this.#prefixes.push(declared);
    this.#refuseTwins(attributes);
  }

  leave(): void {
    this.#prefixes.pop();
  }

  /** The namespace of a prefix; the empty prefix has the default one. */
  resolve(prefix: string): string {
    for (let i = this.#prefixes.length - 1; i >= 0; i--) {
      const namespace = this.#prefixes[i]!.get(prefix);
      if (namespace !== undefined) return namespace;
    }
    if (prefix === '') return '';
    if (prefix === 'xml') return 'http://www.w3.org/XML/1998/namespace';
    throw malformed;
  }

  /** No element has the same attribute twice, whatever prefixes it goes by. */
  #refuseTwins(attributes: readonly Attribute[]): void {
    if (attributes.length === 0) return;
    const seen = new Set<string>();
    for (const { prefix, name } of attributes) {
      if (prefix === 'xmlns' || (prefix === '' && name === 'xmlns')) continue;
      const key = prefix === '' ? name : `${this.resolve(prefix)} ${name}`;
      if (seen.has(key)) throw malformed;
      seen.add(key);
    }
  }
}

/** The declaration's attributes, in their order; what it says of the encoding must be true. */
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

/** Whether an element is null. `nil` counts in its namespace only. */
export function isNil(attributes: readonly Attribute[], scopes: Scopes): boolean {
  for (const { prefix, name, value } of attributes) {
    if (prefix === '' || name !== 'nil' || scopes.resolve(prefix) !== namespaces.instance) continue;
    return xmlBoolean(value);
  }
  return false;
}
