import { GraphQLError } from 'graphql';

/** Error codes of requests that are rejected before an operation is known, by status. */
const codes: Readonly<Record<number, string>> = {
  406: 'NOT_ACCEPTABLE',
  413: 'PAYLOAD_TOO_LARGE',
};

/** Further data of an error. */
export interface ProblemDetails {
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the request was understood and rejected. Its error then has status 200 in `application/json`. */
  readonly understood?: boolean;
}

/** Makes a GraphQL error with an HTTP status. By default its code is that of the status, else BAD_REQUEST. */
export const httpError = (
  status: number,
  message: string,
  { code, headers = {}, understood }: ProblemDetails = {},
): GraphQLError =>
  new GraphQLError(message, {
    extensions: {
      code: code ?? codes[status] ?? 'BAD_REQUEST',
      http: { status, headers, spec: understood === true },
    },
  });
