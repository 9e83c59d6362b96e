import { GraphQLError } from 'graphql';

/** What is wrong with a request before any operation of it is known, by the status that says so. */
const codes: Readonly<Record<number, string>> = {
  406: 'NOT_ACCEPTABLE',
  413: 'PAYLOAD_TOO_LARGE',
};

export interface ProblemDetails {
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the same meaning in whatever form it is told: what the server did understand, and refuses. */
  readonly understood?: boolean;
}

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
