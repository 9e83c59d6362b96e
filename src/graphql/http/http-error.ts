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
  /**
   * Whether the request was understood and rejected. Its error then has status 200 in `application/json`, and
   * its own status in other media types. Default: false.
   */
  readonly understood?: boolean;
}

/**
 * Makes a GraphQL error with an HTTP status; the caller throws it. Without a `code` it has NOT_ACCEPTABLE for
 * 406, PAYLOAD_TOO_LARGE for 413, and BAD_REQUEST for any other status.
 */
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
