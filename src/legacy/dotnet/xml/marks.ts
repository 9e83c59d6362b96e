import { namespaces } from '../new-message.ts';
import { malformed } from './markup.ts';
import type { Attribute, Scopes } from './tag.ts';
import { xmlBoolean, xmlInteger } from './value.ts';

/**
 * What an element's attributes say of its value; DataContractSerializer looks at them on every element,
 * unknown ones too.
 */
export interface Marks {
  readonly nil: boolean;
  /** The value's name, and the name of a value that was read before and stands here again. */
  readonly id: string | undefined;
  readonly ref: string | undefined;
  /** The type that is named, as it is written. */
  readonly type: string | undefined;
}

const none: Marks = { nil: false, id: undefined, ref: undefined, type: undefined };

export function readMarks(attributes: readonly Attribute[], scopes: Scopes): Marks {
  const marks = { ...none };
  for (const { prefix, name, value } of attributes) {
    if (prefix === '' || prefix === 'xmlns') continue;
    const namespace = scopes.resolve(prefix);
    if (namespace === namespaces.serialization) {
      if ((name === 'Id' || name === 'Ref') && value === '') throw malformed;
      if (name === 'Id') marks.id = value;
      if (name === 'Ref') marks.ref = value;
      if (name === 'Size') xmlInteger(value);
    } else if (namespace === namespaces.instance) {
      if (name === 'nil') marks.nil = xmlBoolean(value);
      if (name === 'type' && value !== '') marks.type = value;
    }
  }
  return marks;
}

/** A type that is named must be the declared one. */
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
