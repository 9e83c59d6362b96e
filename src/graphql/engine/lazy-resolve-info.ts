import type { GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo } from 'graphql';
import type { Path, PlannedField, Run } from './execution-state.ts';

/** The position of a field's value. */
export const pathOf = ({ key, parentType }: PlannedField, parent: Path): NonNullable<Path> => ({
  prev: parent,
  key,
  typename: parentType.name,
});

/**
 * The `info` argument of a resolver. Few resolvers read it, so its members are made when they are read: a
 * page has hundreds.
 */
export class LazyResolveInfo implements GraphQLResolveInfo {
  readonly #run: Run;
  readonly #field: PlannedField;
  readonly #parent: Path;
  #path: Path;

  /** @param path the field's, if it is made already */
  constructor(run: Run, field: PlannedField, parent: Path, path?: Path) {
    this.#run = run;
    this.#field = field;
    this.#parent = parent;
    this.#path = path;
  }

  get fieldName(): string {
    return this.#field.definition.name;
  }
  get fieldNodes(): PlannedField['nodes'] {
    return this.#field.nodes;
  }
  get returnType(): GraphQLOutputType {
    return this.#field.definition.type;
  }
  get parentType(): GraphQLObjectType {
    return this.#field.parentType;
  }
  get path(): NonNullable<Path> {
    this.#path ??= pathOf(this.#field, this.#parent);
    return this.#path;
  }
  get schema(): GraphQLResolveInfo['schema'] {
    return this.#run.plan.schema;
  }
  get fragments(): GraphQLResolveInfo['fragments'] {
    return this.#run.plan.fragments;
  }
  get rootValue(): undefined {
    return undefined;
  }
  get operation(): GraphQLResolveInfo['operation'] {
    return this.#run.plan.operation;
  }
  get variableValues(): Run['variables'] {
    return this.#run.variables;
  }
}
