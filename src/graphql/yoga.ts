import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
} from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { DeskContext } from '../tickets/desk.ts';
import type { GraphContext } from './context.ts';
import { safeError, withSafeErrors } from './faults.ts';
import { assertModest, maxTokens } from './limits.ts';
import { createLoaders } from './loaders.ts';
import { schema } from './schema.ts';
import { type UploadLimits, useUploads } from './uploads.ts';

export interface ServerContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly ctx: DeskContext;
}

export interface YogaOptions extends UploadLimits {
  /** Introspection needs a credential. */
  readonly production: boolean;
}

export function createGraphqlServer({ production, ...limits }: YogaOptions) {
  return createYoga<ServerContext, GraphContext>({
    schema,
    context: ({ ctx }) => ({ ...ctx, load: createLoaders(ctx) }),
    graphqlEndpoint: '/graphql',
    graphiql: false,
    landingPage: false,
    cors: false,
    batching: false,
    // Both would read the whole body into memory; useUploads streams it and counts its bytes.
    multipart: false,
    maxRequestBodySize: false,
    logging: false,
    plugins: [
      useUploads(limits),
      useModestDocuments(),
      useSafeErrors(),
      ...(production ? [useClosedIntrospection()] : []),
    ],
    maskedErrors: { maskError: maskUnexecuted },
  });
}

function useModestDocuments(): Plugin<GraphContext> {
  return {
    onParse({ params }) {
      params.options = { ...params.options, maxTokens };
      return ({ result }) => {
        if (!(result instanceof Error)) assertModest(result as DocumentNode);
      };
    },
  };
}

function useSafeErrors(): Plugin<GraphContext> {
  return {
    onExecute: ({ args }) => ({
      onExecuteDone({ result, setResult }) {
        if (Symbol.asyncIterator in result) return;
        setResult(withSafeErrors(result as ExecutionResult, args.contextValue as GraphContext));
      },
    }),
  };
}

/** A stranger learns nothing of the schema where it is for known users only. */
function useClosedIntrospection(): Plugin<GraphContext> {
  return {
    onValidate({ addValidationRule, context }) {
      if ((context as Partial<GraphContext>).viewer === undefined)
        addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}

/** Errors outside an execution: what the server or a plugin threw. Yoga's own are GraphQL errors and speak of the request. */
function maskUnexecuted(error: unknown): Error {
  if (error instanceof GraphQLError && error.originalError === undefined) return error;
  return safeError(error, { requestId: 'unknown', log: console as never });
}
