import { type ExecutionResult, execute } from 'graphql';
import type { DeskContext } from '../tickets/desk.ts';
import { type KnownDocument, validDocument } from './documents.ts';
import { withSafeErrors } from './faults.ts';
import { Loaders } from './loaders.ts';
import { runPlan } from './run-plan.ts';
import { schema } from './schema.ts';

/**
 * Executes a query or a mutation of a document.
 * @returns a result without `data` when the variables do not fit: nothing was executed then
 */
export async function executeKnown(
  { document, modest, plan }: KnownDocument,
  operationName: string | undefined,
  variableValues: Readonly<Record<string, unknown>> | undefined,
  ctx: DeskContext,
): Promise<ExecutionResult> {
  const contextValue = { ...ctx, load: new Loaders(ctx), modest };
  const result = await (plan === undefined
    ? execute({ schema, document, operationName, variableValues, contextValue })
    : runPlan(plan, contextValue, variableValues));
  return withSafeErrors(result as ExecutionResult, ctx);
}

/**
 * Executes one stored operation against our own schema, in process, with the same coercion and checks as any client's.
 * @throws Error when it does not fit the schema
 */
export async function executeStored<D>(
  operation: { readonly name: string; readonly document: string },
  variables: object,
  ctx: DeskContext,
): Promise<ExecutionResult<D>> {
  const known = validDocument(operation.document);
  if (known === undefined) throw new Error(`The stored operation ${operation.name} does not fit the schema`);
  const result = await executeKnown(known, operation.name, variables as Record<string, unknown>, ctx);
  return result as ExecutionResult<D>;
}
