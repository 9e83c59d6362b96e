import type { ExecutionResult } from 'graphql';
import type { Logger } from '../platform/log.ts';
import type { TicketContext } from '../tickets/context.ts';
import { createEnveloped, type EnvelopedOptions } from './execute/create-enveloped.ts';
import { createPrepare } from './execute/prepare-operation.ts';
import type { TrustedDocuments } from './execute/trusted-documents.ts';
import { createHttpTransport } from './http/handle-request.ts';
import { createRead, type ReadOptions } from './http/read-request.ts';

/** How GraphQL is served. */
export interface GraphqlOptions extends EnvelopedOptions, ReadOptions {
  readonly log: Logger;
  /** When given, only these documents are accepted over HTTP. */
  readonly trusted?: TrustedDocuments | undefined;
}

/** One of our own documents, executed in process. */
interface InProcessOperation {
  readonly name: string;
  readonly document: string;
}

/**
 * Creates the GraphQL server. HTTP requests and calls in process take the same path.
 * @returns `handle`, `streams` and `cutStreams` of `createHttpTransport`: `handle` answers an HTTP request,
 *   `streams` counts the open streams, and `cutStreams` ends them and refuses later ones with 503. Also
 *   `execute({ name, document }, variables, ctx)`, which executes the query or mutation `name` of one of our
 *   own documents in process, whatever `trusted` lists, with the same checks and plugins. It resolves with
 *   the result, also when that has errors. It rejects with OperationRefused when the document cannot be
 *   parsed, is too large, does not fit the schema, or has no operation `name`; see `PrepareOperation`
 * @throws Error for a plugin with a hook on requests and responses, which would never be called; see
 *   `OperationPlugin`
 */
export function createGraphqlServer(options: GraphqlOptions) {
  const prepare = createPrepare(createEnveloped(options));
  return {
    ...createHttpTransport({ ...options, prepare, read: createRead(options) }),
    /**
     * Executes a stored query or mutation against our own schema, with the same coercion, checks and plugins
     * as any client's.
     * @throws OperationRefused as `PrepareOperation` does
     */
    async execute<D>(
      { name, document }: InProcessOperation,
      variables: object,
      ctx: TicketContext,
    ): Promise<ExecutionResult<D>> {
      const asked = { query: document, operationName: name, variables: variables as Record<string, unknown> };
      return (await prepare(asked, ctx).run()) as ExecutionResult<D>;
    },
  };
}
