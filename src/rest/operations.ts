import { readFileSync } from 'node:fs';
import type { IncomingFile } from '../upload.ts';

/** One of the documents in schema/operations; `D` is what it answers, `V` what it asks with. */
export interface StoredOperation<D, V> {
  readonly name: string;
  readonly document: string;
  /** Types only: never set. */
  readonly types?: (variables: V) => D;
}

export interface AddLegacyMessageVariables {
  readonly input: {
    readonly ticket: { readonly ticketId: number } | { readonly reference: string };
    readonly body: string;
    readonly format: 'TEXT' | 'HTML';
    readonly visibility: 'PUBLIC' | 'PRIVATE';
    readonly isMobileDevice: boolean;
    readonly attachments: readonly { readonly file: IncomingFile }[];
    readonly email?: {
      readonly from: string;
      readonly cc: readonly string[];
      readonly bcc: readonly string[];
    };
  };
}

export interface RefusalData {
  readonly __typename: string;
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[];
  readonly problems?: readonly { readonly path: readonly string[]; readonly message: string }[];
}

export interface AddLegacyMessageData {
  readonly addTicketMessage:
    | {
        readonly __typename: 'AddTicketMessagePayload';
        readonly ticketMessage: { readonly messageId: number };
        readonly replayed: boolean;
      }
    | RefusalData;
}

export interface FindLegacyTicketVariables {
  readonly ticketId: number;
  readonly reference: string;
}

export interface FindLegacyTicketData {
  readonly byId: { readonly ticketId: number } | null;
  readonly byReference: { readonly ticketId: number } | null;
}

const folder = new URL('../../schema/operations/', import.meta.url);

function stored<D, V>(name: string): StoredOperation<D, V> {
  return { name, document: readFileSync(new URL(`${name}.graphql`, folder), 'utf8') };
}

/** What the legacy door asks of the schema. */
export function loadOperations() {
  return {
    addMessage: stored<AddLegacyMessageData, AddLegacyMessageVariables>('AddLegacyMessage'),
    findTicket: stored<FindLegacyTicketData, FindLegacyTicketVariables>('FindLegacyTicket'),
  };
}
export type Operations = ReturnType<typeof loadOperations>;
