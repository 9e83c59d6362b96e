import { type DocumentNode, type ExecutionResult, execute, parse, validate } from 'graphql';
import type { DeskContext } from '../tickets/desk.ts';
import { withSafeErrors } from './faults.ts';
import { Loaders } from './loaders.ts';
import { schema } from './schema.ts';

const documents = new Map<string, DocumentNode>();

/** A stored operation's document, parsed and checked once. @throws Error when it does not fit the schema */
function documentOf(text: string): DocumentNode {
  let document = documents.get(text);
  if (document === undefined) {
    document = parse(text);
    const [error] = validate(schema, document);
    if (error !== undefined) throw error;
    documents.set(text, document);
  }
  return document;
}

/** Executes one stored operation against our own schema, in process, with the same coercion and checks as any client's. */
export async function executeStored<D>(
  operation: { readonly name: string; readonly document: string },
  variables: object,
  ctx: DeskContext,
): Promise<ExecutionResult<D>> {
  const result = await execute({
    schema,
    document: documentOf(operation.document),
    operationName: operation.name,
    variableValues: variables as Record<string, unknown>,
    // A document of our own: what it asks for was looked at when it was written.
    contextValue: { ...ctx, load: new Loaders(ctx), modest: true },
  });
  return withSafeErrors(result, ctx) as ExecutionResult<D>;
}
