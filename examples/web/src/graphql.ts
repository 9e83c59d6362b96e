import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './graphql-env.d.ts';

/** Operations whose results and variables have types: `npm run types` renews them from the schema. */
export const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { DateTime: string };
}>();
export type { FragmentOf, ResultOf } from 'gql.tada';
export { readFragment } from 'gql.tada';
