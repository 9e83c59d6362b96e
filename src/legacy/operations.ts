import { readFileSync } from 'node:fs';
import type {
  AddLegacyMessageMutation,
  AddLegacyMessageMutationVariables,
  FindLegacyTicketQuery,
  FindLegacyTicketQueryVariables,
} from './operations.generated.ts';

/** A document in schema/operations. `D` is its result, `V` are its variables. */
export interface StoredOperation<D, V> {
  readonly name: string;
  readonly document: string;
  /** For the types only. Never set. */
  readonly types?: (variables: V) => D;
}

export type Input = AddLegacyMessageMutationVariables['input'];
type AddMessageResult = AddLegacyMessageMutation['addTicketMessage'];
export type RefusalData = Exclude<AddMessageResult, { __typename: 'AddTicketMessagePayload' }>;

const folder = new URL('../../schema/operations/', import.meta.url);

function stored<D, V>(name: string): StoredOperation<D, V> {
  return { name, document: readFileSync(new URL(`${name}.graphql`, folder), 'utf8') };
}

/** The stored operations of the legacy door. */
export function loadOperations() {
  return {
    addMessage: stored<AddLegacyMessageMutation, AddLegacyMessageMutationVariables>('AddLegacyMessage'),
    findTicket: stored<FindLegacyTicketQuery, FindLegacyTicketQueryVariables>('FindLegacyTicket'),
  };
}
export type Operations = ReturnType<typeof loadOperations>;
