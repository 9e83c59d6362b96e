import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  type ValidationRule,
  validate,
} from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Logger } from '../log.ts';
import type { DeskContext } from '../tickets/desk.ts';
import { httpError } from './body.ts';
import type { GraphContext } from './context.ts';
import { safeError, withSafeErrors } from './faults.ts';
import { assertModest, maxTokens } from './limits.ts';
import { Loaders } from './loaders.ts';
import type { UploadLimits } from './multipart/request.ts';
import { schema } from './schema.ts';
import { useUploads } from './uploads.ts';

/** Errors that one answer lists: past these, a person reads no further. */
const maxErrors = 2;

export interface ServerContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly ctx: DeskContext;
  /** A JSON body, or what went wrong with reading it. */
  readonly body?: Buffer | Error;
}

export interface YogaOptions extends UploadLimits {
  readonly log: Logger;
  /** Introspection needs a credential. */
  readonly production: boolean;
}

export function createGraphqlYoga({ production, log, ...limits }: YogaOptions) {
  return createYoga<ServerContext, GraphContext>({
    schema,
    context: ({ ctx }) => ({ ...ctx, load: new Loaders(ctx) }),
    graphqlEndpoint: '/graphql',
    graphiql: false,
    landingPage: false,
    cors: false,
    batching: false,
    // It would keep a thousand documents of any size, whoever sent them. What is asked over and over is kept by documents.ts.
    parserAndValidationCache: false,
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
    maskedErrors: { maskError: (error) => maskUnexecuted(error, log) },
  });
}

const briefly =
  (options: NonNullable<Parameters<typeof validate>[3]>) =>
  (of: GraphQLSchema, document: DocumentNode, rules?: readonly ValidationRule[]): readonly GraphQLError[] =>
    validate(of, document, rules, options);

function useModestDocuments(): Plugin<GraphContext> {
  return {
    onValidate({ setValidationFn }) {
      setValidationFn(briefly({ maxErrors }));
    },
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

/** A stranger learns nothing of the schema where it is for known users only, and nobody is told names that were not asked for. */
function useClosedIntrospection(): Plugin<GraphContext> {
  return {
    onValidate({ addValidationRule, setValidationFn, context }) {
      // Before execution, the context is what the server was called with.
      if ((context as unknown as ServerContext).ctx.viewer === undefined)
        addValidationRule(NoSchemaIntrospectionCustomRule);
      setValidationFn(briefly({ maxErrors, hideSuggestions: true }));
    },
    onExecute({ args }) {
      Object.assign(args, { hideSuggestions: true });
    },
  };
}

/** Errors outside an execution: what the server or a plugin threw. Yoga's own are GraphQL errors and speak of the request. */
function maskUnexecuted(error: unknown, log: Logger): Error {
  if (error instanceof GraphQLError && error.originalError === undefined) return error;
  // A GET's parameters that are no JSON: Yoga lets the parser's own words out.
  if (error instanceof SyntaxError) return httpError(400, 'The request is malformed');
  return safeError(error, { requestId: 'unknown', log });
}
