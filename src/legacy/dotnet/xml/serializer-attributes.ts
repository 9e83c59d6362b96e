import { namespaces } from '../new-message-post.ts';
import type { Attribute, Scopes } from './parse-tag.ts';
import { xmlBoolean, xmlInteger } from './parse-value.ts';
import { malformed } from './scan-markup.ts';

/**
 * The attributes that DataContractSerializer interprets. It reads them on every element, even unknown ones.
 */
export interface Marks {
  /** `i:nil`: whether the value is null. */
  readonly nil: boolean;
  /** `z:Id` names the value. */
  readonly id: string | undefined;
  /** `z:Ref` names an earlier value, which is repeated here. */
  readonly ref: string | undefined;
  /** `i:type`: the type's name as it was written, with its prefix. */
  readonly type: string | undefined;
}

const none: Marks = { nil: false, id: undefined, ref: undefined, type: undefined };

/**
 * Reads these attributes of an element. An empty `i:type` counts as absent, and another is not checked: that
 * is for `checkType`. Other attributes are ignored, if their prefixes are declared.
 * @throws the error `malformed` for an `i:nil` that is no boolean, an empty `z:Id` or `z:Ref`, a `z:Size`
 *   that is no integer from 0, and any attribute whose prefix is not declared
 */
export function readMarks(attributes: readonly Attribute[], scopes: Scopes): Marks {
  const marks = { ...none };
  for (const { prefix, name, value } of attributes) {
    if (prefix === '' || prefix === 'xmlns') continue;
    const namespace = scopes.resolve(prefix);
    if (namespace === namespaces.serialization) {
      if ((name === 'Id' || name === 'Ref') && value === '') throw malformed;
      if (name === 'Id') marks.id = value;
      if (name === 'Ref') marks.ref = value;
      if (name === 'Size' && xmlInteger(value) < 0) throw malformed;
    } else if (namespace === namespaces.instance) {
      if (name === 'nil') marks.nil = xmlBoolean(value);
      if (name === 'type' && value !== '') marks.type = value;
    }
  }
  return marks;
}

/**
 * Checks that an explicit type is the declared one. Undefined, for no explicit type, passes.
 * @param written `i:type` as it was written, with its prefix
 * @throws the error `malformed` when it is another type, or its prefix is not declared
 */
export function checkType(
  written: string | undefined,
  [namespace, name]: readonly [namespace: string, name: string],
  scopes: Scopes,
): void {
  if (written === undefined) return;
  const [first, second] = written.split(':') as [string, string | undefined];
  const prefix = second === undefined ? '' : first.trim();
  if ((second ?? first).trim() !== name || scopes.resolve(prefix) !== namespace) throw malformed;
}
