import { readFileSync } from 'node:fs';
import type {
  AddLegacyMessageMutation,
  AddLegacyMessageMutationVariables,
  FindLegacyTicketQuery,
  FindLegacyTicketQueryVariables,
} from './operations.generated.ts';

/**
 * A document in schema/operations, with one operation of this name. `D` is its result, `V` are its variables.
 */
export interface StoredOperation<D, V> {
  readonly name: string;
  readonly document: string;
  /** For the types only. Never set. */
  readonly types?: (variables: V) => D;
}

/** The `input` of the mutation that the endpoint executes. */
export type MessageInput = AddLegacyMessageMutationVariables['input'];
type AddMessageResult = AddLegacyMessageMutation['addTicketMessage'];
/** A refusal as the stored operation selects it. */
export type RefusalData = Exclude<AddMessageResult, { __typename: 'AddTicketMessagePayload' }>;

const folder = new URL('../../schema/operations/', import.meta.url);

function stored<D, V>(name: string): StoredOperation<D, V> {
  return { name, document: readFileSync(new URL(`${name}.graphql`, folder), 'utf8') };
}

/**
 * Loads the stored operations of the legacy endpoint from their files: `addMessage` and `findTicket`.
 * @throws the error of Node when a file cannot be read
 */
export function loadOperations() {
  return {
    addMessage: stored<AddLegacyMessageMutation, AddLegacyMessageMutationVariables>('AddLegacyMessage'),
    findTicket: stored<FindLegacyTicketQuery, FindLegacyTicketQueryVariables>('FindLegacyTicket'),
  };
}
/** The stored operations, by what they do. */
export type Operations = ReturnType<typeof loadOperations>;
