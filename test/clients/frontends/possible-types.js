/* The members of unions and interfaces, for caches. Ask once, at build time, and keep the answer as JSON. */

const query = '{ __schema { types { kind name possibleTypes { name } } } }';

export async function readPossibleTypes(ask) {
  const { __schema } = await ask(query);
  return Object.fromEntries(
    __schema.types
      .filter(({ kind }) => kind === 'UNION' || kind === 'INTERFACE')
      .map(({ name, possibleTypes }) => [name, possibleTypes.map((type) => type.name)]),
  );
}
