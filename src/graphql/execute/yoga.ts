import { envelop, type Plugin, useSchema } from 'graphql-yoga';
import type { GraphContext } from '../context/context.ts';
import { useEngine } from '../engine/engine.ts';
import { schema } from './schema.ts';

export interface YogaOptions {
  /** Introspection needs a credential. */
  readonly production: boolean;
  /** Bytes of one answer at most. */
  readonly answerBytes: number;
  /** Run for every operation, whatever brought it: a client's by any transport, and the legacy door's. */
  readonly plugins?: readonly OperationPlugin[];
}

/**
 * A plugin of operations: its hooks on parsing, validation, context, execution and subscription. Hooks on
 * requests and responses of the Fetch API are not among them: Yoga's adapter to it costs several times an
 * execution, and http/ does what they are for.
 */
export type OperationPlugin = Pick<
  Plugin<GraphContext>,
  | ('onPluginInit' | 'onSchemaChange' | 'onEnveloped' | 'onContextBuilding')
  | ('onParse' | 'onValidate' | 'onExecute' | 'onSubscribe')
>;

const requestHooks = [
  ...[
    'onYogaInit',
    'onRequest',
    'onRequestParse',
    'onParams',
    'onResultProcess',
    'onExecutionResult',
    'onResponse',
  ],
] as const;

/**
 * The schema with all that every operation passes through: Yoga's plugin system with its plugins for
 * operations, and none of those that Yoga adds for its own server. These would look at each operation for a
 * request of the Fetch API that it never has, and hand the list of all rules of validation from hook to hook:
 * 3.0 in the place of 1.8 µs for `{ __typename }`, and 5 kB of garbage.
 * @throws Error for a plugin with a hook that would never be called
 */
export function createGraphqlYoga({ production, answerBytes, plugins = [] }: YogaOptions) {
  for (const plugin of plugins) {
    const unheard = requestHooks.find((hook) => hook in plugin);
    if (unheard !== undefined)
      throw new Error(`A plugin's ${unheard} is not called here: see src/graphql/execute/yoga.ts`);
  }
  const engine = useEngine({ schema, closed: production, answerBytes });
  return { getEnveloped: envelop({ plugins: [useSchema(schema), engine, ...plugins] }) };
}
