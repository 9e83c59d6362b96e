/** The dialect in which a contender is queried. */
export type Dialect = 'ours' | 'legacy' | 'bare' | 'layer' | 'postgraphile';

export interface Contender {
  readonly name: string;
  /** The module to run, from the repository's root. */
  readonly program: string;
  readonly dialect: Dialect;
  /** Contenders with the same process share one server and one database. */
  readonly process: string;
  /** Ours: configured as in production, with its port. */
  readonly isGateway?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Run in its database first, to remove what prevents it from working. */
  readonly prepare?: readonly string[];
  /** Run after that. */
  readonly sql?: string;
  /** The process in whose database it works, when that is another. */
  readonly databaseOf?: string;
}

const peer = (name: string, file: string, env: Record<string, string> = {}): Contender => ({
  name,
  program: `test/bench/peers/${file}.js`,
  dialect: 'ours',
  process: name,
  prepare: ['test/bench/peers/prepare.sql'],
  env,
});

const ticketwire = { program: 'src/main.ts', process: 'ticketwire', isGateway: true } as const;

/** R comes first: the others' ratios are to it. */
export const contenders: readonly Contender[] = [
  { name: 'R', program: 'test/bench/peers/bare.ts', dialect: 'bare', process: 'r' },
  { name: 'Ticketwire GraphQL', dialect: 'ours', ...ticketwire },
  { name: 'Ticketwire legacy', dialect: 'legacy', ...ticketwire },
  {
    // What the gateway does when callers have nothing in common: a statement for each message.
    name: 'Ticketwire unshared',
    program: 'test/bench/ungrouped.ts',
    dialect: 'ours',
    process: 'ticketwire_unshared',
    isGateway: true,
  },
  { name: 'GraphQL layer alone', program: 'test/bench/layer.ts', dialect: 'layer', process: 'layer' },
  peer('Yoga + Drizzle', 'yoga'),
  peer('Apollo + Drizzle', 'apollo'),
  peer('Mercurius + Drizzle', 'mercurius', { JIT: '0' }),
  peer('Mercurius JIT + Drizzle', 'mercurius', { JIT: '1' }),
  {
    name: 'PostGraphile',
    program: 'test/bench/peers/postgraphile.js',
    dialect: 'postgraphile',
    process: 'postgraphile',
    prepare: ['test/bench/peers/prepare.sql', 'test/bench/peers/postgraphile.sql'],
  },
];
