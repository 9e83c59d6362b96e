import type { CodegenConfig } from '@graphql-codegen/cli';

/** The legacy door's stored operations as types: what it asks with and what it is answered. */
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  documents: 'schema/operations/*.graphql',
  generates: {
    'src/legacy/operations.generated.ts': {
      plugins: ['typescript-operations'],
      config: {
        enumType: 'string-literal',
        immutableTypes: true,
        useTypeImports: true,
        skipTypename: false,
        // They are in schema.graphql, and their lines are long.
        disableDescriptions: true,
        avoidOptionals: { field: true },
        scalars: {
          Upload: { input: '../platform/incoming-file.ts#IncomingFile', output: 'never' },
          DateTime: 'string',
        },
      },
    },
  },
};

export default config;
