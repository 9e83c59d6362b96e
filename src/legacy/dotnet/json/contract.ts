import {
  attachmentMembers,
  emptyAttachment,
  emptyPost,
  type MemberTypes,
  postMembers,
  type Shape,
  type ValueType,
} from '../new-message-post.ts';
import { broken, type Token } from './reader-state.ts';

/** The members of each type of object, and a function that creates an empty one. */
export const shapes: Record<Shape, { members: MemberTypes; create: () => unknown }> = {
  post: { members: postMembers, create: emptyPost },
  attachment: { members: attachmentMembers, create: emptyAttachment },
};
/** The type of the items of each type of list. Undefined for types that are not lists. */
export const items: Partial<Record<ValueType, ValueType>> = { strings: 'string', attachments: 'attachment' };

/** Member names by their lower-case spelling. An exact match takes precedence. */
const names = new Map<MemberTypes, Map<string, string>>(
  Object.values(shapes).map(({ members }) => [
    members,
    new Map(Object.keys(members).map((name) => [name.toLowerCase(), name])),
  ]),
);

/** .NET matches no other letter with an ASCII one, where JavaScript has the Kelvin sign for a k. */
const inLowerCase = (name: string): string => name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/**
 * The name of the member that a JSON name stands for; undefined if there is none. An exact match takes
 * precedence over one in another case. Case is ignored in ASCII letters only.
 */
export function findMember(members: MemberTypes, written: string): string | undefined {
  return Object.hasOwn(members, written) ? written : names.get(members)!.get(inLowerCase(written));
}

/**
 * Returns a simple token's value if it has the expected type, or null for null, undefined and, unless a text
 * is expected, an empty text. The reader has done all other conversions already, as Json.NET's does.
 * @throws the error `broken` when the token has another type, or `int` or `bool` would be null
 */
export function expectType({ token, value }: { token: Token; value: unknown }, expected: ValueType): unknown {
  const nothing =
    token === 'Null' ||
    token === 'Undefined' ||
    (token === 'String' && value === '' && expected !== 'string');
  if (nothing && expected !== 'int' && expected !== 'bool') return null;
  if (token === 'String' && expected === 'string') return value;
  if (token === 'Integer' && (expected === 'int' || expected === 'int?')) return value;
  if (token === 'Boolean' && expected === 'bool') return value;
  if (token === 'Bytes' && expected === 'bytes') return value;
  throw broken;
}
