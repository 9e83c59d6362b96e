import { GraphQLError, type GraphQLLeafType, type GraphQLOutputType, isNonNullType } from 'graphql';
import type { Complete } from './execution-state.ts';
import { completed, isPromise, rejectAfterAll } from './run-plan.ts';

/* Functions that make a `Complete` for each kind of type. */

/**
 * Completes a value of a nullable type: null and undefined become null, an Error that a resolver returned is
 * thrown, and anything else is completed by `complete`.
 */
export const nullOr =
  (complete: Complete): Complete =>
  (run, value, field, path) => {
    if (value == null) return null;
    if (value instanceof Error) throw value;
    return complete(run, value, field, path);
  };

/**
 * Completes a value of a nullable scalar or enum: serializes it and counts it in the run's budget. It throws
 * an error, which is the gateway's fault, when `serialize` throws or returns null or undefined.
 */
export const leaf = (type: GraphQLLeafType): Complete =>
  nullOr((run, value) => {
    const serialized = serialize(type, value);
    run.budget.spendValue(serialized);
    if (serialized == null) throw new Error(`A value of ${type.name} cannot be shown`);
    return serialized;
  });

/**
 * `serialize` throws a GraphQLError, as if the caller had given the value, which may be a word of a later
 * version.
 */
function serialize(type: GraphQLLeafType, value: unknown): unknown {
  try {
    return type.serialize(value);
  } catch (cause) {
    throw new Error((cause as Error).message, { cause });
  }
}

/**
 * Completes a value of a non-null type: throws an error when `complete` returns null. A promise is returned
 * unchecked, because the functions of this file and objects never promise null.
 */
export const nonNull =
  (complete: Complete): Complete =>
  (run, value, field, path) => {
    const done = complete(run, value, field, path);
    if (done === null) {
      const { parentType, definition } = field;
      throw new Error(`Cannot return null for non-nullable field ${parentType.name}.${definition.name}.`);
    }
    return done;
  };

/**
 * Completes a value of a nullable list type, which may be any iterable object but not a text. Returns an
 * array, or a promise of it if an item is pending. An item that fails is recorded in the run and becomes
 * null; if `itemType` is non-null, the list throws the item's error, once the items that have begun are done.
 * @param complete completes one item
 */
export function list(itemType: GraphQLOutputType, complete: Complete): Complete {
  const nullable = !isNonNullType(itemType);
  return nullOr((run, value, field, path) => {
    if (!isIterable(value)) {
      const { parentType, definition } = field;
      throw new GraphQLError(
        `Expected Iterable, but did not find one for field "${parentType.name}.${definition.name}".`,
      );
    }
    const items: unknown[] = [];
    let pending = false;
    let error: { readonly of: unknown } | undefined;
    for (const item of value) {
      let done = item;
      if (error === undefined) {
        try {
          const at = { prev: path, key: items.length, typename: undefined };
          done = completed(run, item, complete, field, nullable, at);
        } catch (of) {
          error = { of };
        }
      }
      items.push(done);
      pending ||= isPromise(done);
    }
    if (error !== undefined) {
      if (pending) return rejectAfterAll(items, error.of);
      throw error.of;
    }
    return pending ? Promise.all(items) : items;
  });
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function';
