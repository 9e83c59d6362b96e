/** An operation in the Examples panel. */
export interface Example {
  /** Also the title of its tab. */
  readonly operationName: string;
  readonly title: string;
  /** One or two sentences below the title. */
  readonly about: string;
  /** The document: one query, mutation or subscription. */
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Whether files are to be picked for it; false if absent. */
  readonly takesFiles?: boolean;
}

/** A TicketSelector for a ticket of the demo desk. */
export const ticket = { reference: 'INC-000047' };

interface MutationParts {
  readonly input: string;
  readonly payload: string;
  /** What is selected on the payload, indented as in the document. */
  readonly selection: string;
  /** Selections on refusals that say more than a code and a message. */
  readonly refusals?: string;
}

/**
 * The document of a mutation with one variable, `$input`. It selects code and message of every refusal.
 * @param field the mutation's field
 */
export const mutation = (
  operationName: string,
  field: string,
  { input, payload, selection, refusals = '' }: MutationParts,
): string => `mutation ${operationName}($input: ${input}!) {
  ${field}(input: $input) {
    ... on ${payload} {
${selection}
    }
    ... on UserError {
      code
      message
    }
${refusals}  }
}
`;
