import { useMonaco } from '@graphiql/react';
import type { languages } from 'monaco-editor';
import { useEffect } from 'react';

type Options = languages.json.DiagnosticsOptions;

/** What is used of the JSON schema that the variables of an operation are checked against. */
interface ObjectSchema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
  readonly definitions?: Readonly<Record<string, ObjectSchema>>;
}

/**
 * Makes input fields with a default value optional in the variables editor. graphql-language-service 5.7
 * takes each non-null field for required, and would underline every correct input of ours.
 */
export function useOptionalDefaults(): void {
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => {
    const defaults = monaco?.languages.json.jsonDefaults;
    if (defaults === undefined) return undefined;
    // monaco-graphql sets the schema of the operation that is being written.
    const listener = defaults.onDidChange(() => {
      const changed = withOptionalDefaults(defaults.diagnosticsOptions);
      if (changed !== undefined) defaults.setDiagnosticsOptions(changed);
    });
    return () => listener.dispose();
  }, [monaco]);
}

/** Undefined when nothing is to be changed, so that a change is not answered by another one for ever. */
export function withOptionalDefaults(options: Options): Options | undefined {
  const schemas = options.schemas?.map((entry) => ({ ...entry, schema: relaxed(entry.schema ?? {}) }));
  const isSame = JSON.stringify(schemas) === JSON.stringify(options.schemas);
  return schemas === undefined || isSame ? undefined : { ...options, schemas };
}

function relaxed(schema: ObjectSchema): ObjectSchema {
  const { properties = {}, required, definitions } = schema;
  return {
    ...schema,
    ...(required && { required: required.filter((name) => !('default' in (properties[name] ?? {}))) }),
    ...(definitions && {
      definitions: Object.fromEntries(
        Object.entries(definitions).map(([name, definition]) => [name, relaxed(definition)]),
      ),
    }),
  };
}
